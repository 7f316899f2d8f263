import type { ReplicaSetSpec } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { notNegative, selectorMatches, validateLabelSelector } from '../../validation/checks.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'

/** A selector, and the template of pods that it has to find. */
export function validateSelected(
  selector: ReplicaSetSpec['selector'] | undefined,
  template: PodTemplateSpec = {},
): Fault[] {
  return [
    ...validateSelector('deployment', selector, template),
    ...validateLastingTemplate('ReplicaSet', template),
  ]
}

/** A selector that must be there, find something, and find the pods of the template. */
export function validateSelector(
  kind: 'deployment' | 'statefulset',
  selector: ReplicaSetSpec['selector'] | undefined,
  template: PodTemplateSpec,
): Fault[] {
  const { labels } = template.metadata ?? {}
  const isEmpty =
    Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length === 0
  if (!selector) return [required('spec.selector')]
  const faults = validateLabelSelector('spec.selector', selector)
  if (isEmpty) {
    return [...faults, invalidValue('spec.selector', selector, `empty selector is invalid for ${kind}`)]
  }
  return selectorMatches(selector, labels) ? faults : [...faults, selectorMismatch(labels)]
}

/** Pods that are kept at a number are started again for ever: they may not be made to end. */
export function validateLastingTemplate(kind: string, template: PodTemplateSpec): Fault[] {
  const path = 'spec.template'
  const faults = validatePodTemplate(path, template)
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {}
  if (restartPolicy !== 'Always') {
    faults.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy ?? '', ['Always']))
  }
  if (activeDeadlineSeconds !== undefined) {
    const text = `activeDeadlineSeconds in ${kind} is not Supported`
    faults.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, text))
  }
  return faults
}

export function selectorMismatch(labels: Record<string, string> | undefined): Fault {
  const text = '`selector` does not match template `labels`'
  return invalidValue('spec.template.metadata.labels', labels ?? null, text)
}

/** Does an amount, or a share of one, come to nothing? */
export function isNothing(amount: number | string): boolean {
  const count = typeof amount === 'number' ? amount : Number(/^(\d+)%$/.exec(amount)?.[1] ?? 0)
  return count === 0
}

type CountName =
  | 'replicas'
  | 'fullyLabeledReplicas'
  | 'updatedReplicas'
  | 'currentReplicas'
  | 'readyReplicas'
  | 'availableReplicas'
  | 'unavailableReplicas'
  | 'observedGeneration'
  | 'collisionCount'

/** The numbers in the status of what keeps pods. */
export type Counts = { readonly [Name in CountName]?: number }

/** What is counted in the status of a kind: `parts` are parts of `replicas`. */
interface Counting {
  readonly all: readonly CountName[]
  readonly parts: readonly CountName[]
  /** How the kind words its ready pods. */
  readonly ready: string
}

/** No count is negative, no part more than the whole, and collisions never become fewer. */
export function validateCounts(status: Counts = {}, old: Counts = {}, counting: Counting): Fault[] {
  const faults = counting.all.flatMap((name) => notNegative(`status.${name}`, status[name]))
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, collisionCount } = status
  for (const name of counting.parts) {
    const value = status[name] ?? 0
    if (value > replicas) {
      faults.push(invalidValue(`status.${name}`, value, 'cannot be greater than status.replicas'))
    }
  }
  if (availableReplicas > readyReplicas) {
    const text = `cannot be greater than ${counting.ready}`
    faults.push(invalidValue('status.availableReplicas', availableReplicas, text))
  }
  const before = old.collisionCount
  if (before !== undefined && (collisionCount === undefined || collisionCount < before)) {
    faults.push(invalidValue('status.collisionCount', collisionCount ?? 0, 'cannot be decremented'))
  }
  return faults
}

const ofReplicas: Counting = {
  all: ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
  parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
  ready: 'readyReplicas',
}

export function validateReplicaStatus(status: Counts | undefined): Fault[] {
  return validateCounts(status, {}, ofReplicas)
}

import type { ReplicaSetSpec, ReplicaSetStatus } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { notNegative, selectorMatches, validateLabelSelector } from '../../validation/checks.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'

/** A selector, and the template of pods that it has to find. */
export function validateSelected(
  selector: ReplicaSetSpec['selector'] | undefined,
  template: PodTemplateSpec = {},
): Fault[] {
  const faults: Fault[] = []
  const { labels } = template.metadata ?? {}
  const isEmpty =
    Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length === 0
  if (!selector) faults.push(required('spec.selector'))
  else {
    faults.push(...validateLabelSelector('spec.selector', selector))
    if (isEmpty) {
      faults.push(invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'))
    }
  }
  if (!isEmpty && !selectorMatches(selector, labels)) faults.push(selectorMismatch(labels))
  return [...faults, ...validateLastingTemplate('ReplicaSet', template)]
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

const counts = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
] as const

export function validateReplicaStatus(status: Partial<ReplicaSetStatus> = {}): Fault[] {
  const faults = counts.flatMap((field) => notNegative(`status.${field}`, status[field]))
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  for (const field of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[field] ?? 0
    if (value > replicas) {
      faults.push(invalidValue(`status.${field}`, value, 'cannot be greater than status.replicas'))
    }
  }
  if (availableReplicas > readyReplicas) {
    const text = 'cannot be greater than readyReplicas'
    faults.push(invalidValue('status.availableReplicas', availableReplicas, text))
  }
  return faults
}

import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, required } from '../../faults.ts'
import type { ResourceRequest } from '../../request.ts'
import { same } from '../../validation/equality.ts'
import { between } from '../../validation/names.ts'
import { imageSpaces } from '../../validation/pod/containers.ts'
import { mostSeconds } from '../../validation/pod/pod-spec.ts'
import { jsonDiff } from '../../validation/text-diff.ts'
import type { Of } from '../define.ts'
import { validatePodResize } from './validate-resize.ts'

const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

/** A pod is what it was made as; little of it may change afterwards. */
export function validatePodUpdate(
  pod: Of<Pod>,
  old: Of<Pod>,
  request: Pick<ResourceRequest, 'subresource'>,
): Fault[] {
  if (request.subresource === 'ephemeralcontainers') return ephemeralFaults(pod, old)
  if (request.subresource === 'resize') return validatePodResize(pod, old)
  // Subresources have rules of their own about what they may touch.
  if (request.subresource !== undefined) return []
  const spec = pod.spec ?? { containers: [] }
  const before = old.spec ?? { containers: [] }
  const faults: Fault[] = []
  for (const field of ['containers', 'initContainers'] as const) {
    const [now, then] = [spec[field] ?? [], before[field] ?? []]
    if (now.length !== then.length) {
      faults.push(forbiddenField(`spec.${field}`, 'pod updates may not add or remove containers'))
      return faults
    }
    faults.push(...imageFaults(`spec.${field}`, now))
  }
  const deadline = deadlineFaults(spec.activeDeadlineSeconds, before.activeDeadlineSeconds)
  faults.push(...deadline)
  if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return faults
  faults.push(...tolerationFaults(spec, before), ...gateFaults(spec, before))
  if (same(spec, before)) return faults
  const comparable = evenedOut(spec, before)
  if (before.schedulingGates?.length) faults.push(...placementFaults(comparable, before))
  if (!same(comparable, before)) {
    faults.push(
      forbiddenField(
        'spec',
        `pod updates may not change fields other than ${changeable}\n${jsonDiff(before, comparable)}`,
      ),
    )
  }
  return faults
}

/** What was added to look at a pod stays as it was added. */
function ephemeralFaults(pod: Of<Pod>, old: Of<Pod>): Fault[] {
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return [forbiddenField('', 'static pods do not support ephemeral containers')]
  const path = 'spec.ephemeralContainers'
  const now = new Map((pod.spec?.ephemeralContainers ?? []).map((one) => [one.name, one]))
  return (old.spec?.ephemeralContainers ?? []).flatMap((before) => {
    const quoted = JSON.stringify(before.name)
    const after = now.get(before.name)
    if (!after) return [forbiddenField(path, `existing ephemeral containers ${quoted} may not be removed\n`)]
    if (same(after, before)) return []
    return [
      forbiddenField(
        path,
        `existing ephemeral containers ${quoted} may not be changed\n${jsonDiff(before, after)}`,
      ),
    ]
  })
}

function imageFaults(path: string, containers: readonly Container[]): Fault[] {
  return containers.flatMap((container, index) => [
    ...(container.image ? [] : [required(`${path}[${index}].image`)]),
    ...imageSpaces(`${path}[${index}]`, container),
  ])
}

/** A deadline may come and come nearer, but not go. */
function deadlineFaults(seconds: number | undefined, before: number | undefined): Fault[] {
  const path = 'spec.activeDeadlineSeconds'
  if (seconds === undefined) {
    return before === undefined
      ? []
      : [invalidValue(path, null, 'must not update from a positive integer to nil value')]
  }
  if (seconds < 0 || seconds > mostSeconds) return [invalidValue(path, seconds, between(0, mostSeconds))]
  return before !== undefined && before < seconds
    ? [invalidValue(path, seconds, 'must be less than or equal to previous value')]
    : []
}

function tolerationFaults(spec: PodSpec, before: PodSpec): Fault[] {
  const now = (spec.tolerations ?? []).map((toleration) => ({
    ...toleration,
    tolerationSeconds: undefined,
  }))
  const areAllThere = (before.tolerations ?? []).every((toleration) => {
    const wanted = { ...toleration, tolerationSeconds: undefined }
    return now.some((one) => same(one, wanted))
  })
  return areAllThere
    ? []
    : [
        forbiddenField(
          'spec.tolerations',
          'existing toleration can not be modified except its tolerationSeconds',
        ),
      ]
}

function gateFaults(spec: PodSpec, before: PodSpec): Fault[] {
  const known = new Set(before.schedulingGates?.map(({ name }) => name))
  return (spec.schedulingGates ?? []).flatMap(({ name }, index) =>
    known.has(name)
      ? []
      : [
          forbiddenField(
            `spec.schedulingGates[${index}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  )
}

/** The new spec with the old values wherever changes are allowed. */
function evenedOut(spec: PodSpec, before: PodSpec): PodSpec {
  const even: PodSpec = { ...spec, containers: withImages(spec.containers, before.containers) }
  if (spec.initContainers) {
    even.initContainers = withImages(spec.initContainers, before.initContainers ?? [])
  }
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'] as const) {
    Object.assign(even, { [field]: before[field] })
  }
  const grace = before.terminationGracePeriodSeconds
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    even.terminationGracePeriodSeconds = grace
  }
  return even
}

function withImages(containers: readonly Container[], before: readonly Container[]): Container[] {
  return containers.map((container, index) => {
    const even = { ...container }
    const image = before[index]?.image
    if (image === undefined) delete even.image
    else even.image = image
    return even
  })
}

/** While gates hold a pod back, the choice of its node may be narrowed. What has been judged here is evened out. */
function placementFaults(spec: PodSpec, before: PodSpec): Fault[] {
  const faults: Fault[] = []
  const selector = spec.nodeSelector ?? {}
  const isNarrower = Object.entries(before.nodeSelector ?? {}).every(
    ([key, value]) => selector[key] === value,
  )
  if (!isNarrower) {
    faults.push(
      invalidValue(
        'spec.nodeSelector',
        selector,
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ),
    )
  }
  Object.assign(spec, { nodeSelector: before.nodeSelector })
  const [now, then] = [spec.affinity?.nodeAffinity, before.affinity?.nodeAffinity]
  if (same(now, then)) return faults
  faults.push(...affinityFaults(now, then))
  const affinity = { ...spec.affinity, nodeAffinity: then }
  Object.assign(spec, {
    affinity:
      before.affinity === undefined && Object.values(affinity).every((part) => part === undefined)
        ? undefined
        : affinity,
  })
  return faults
}

function affinityFaults(now: NodeAffinity | undefined, then: NodeAffinity | undefined): Fault[] {
  const terms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const before = then?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  if (before.length > 0 && before.length !== terms.length) {
    return [
      invalidValue(path, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'),
    ]
  }
  return before.flatMap((term, index) =>
    isNarrowed(terms[index] ?? {}, term)
      ? []
      : [
          invalidValue(
            `${path}[${index}]`,
            terms[index],
            'only additions are allowed (no mutations or deletions)',
          ),
        ],
  )
}

function isNarrowed(term: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const { matchExpressions = [], matchFields = [] } = before
  const now = { expressions: term.matchExpressions ?? [], fields: term.matchFields ?? [] }
  // A term without conditions matches nothing, and would match something.
  if (matchExpressions.length + matchFields.length === 0) {
    return now.expressions.length + now.fields.length === 0
  }
  return (
    same(now.expressions.slice(0, matchExpressions.length), matchExpressions) &&
    same(now.fields.slice(0, matchFields.length), matchFields)
  )
}

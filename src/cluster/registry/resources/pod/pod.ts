import type { Pod } from 'kubernetes-types/core/v1.js'
import { nameWarnings, podSpecWarnings } from '../../validation/pod/warnings.ts'
import { define, type Of } from '../define.ts'
import { podColumns } from './columns.ts'
import { linkServiceAccount, setPodDefaults } from './defaults.ts'
import { mergeLabelKeys } from './label-keys.ts'
import { qosClass } from './requests.ts'
import { validatePod } from './validate-pod.ts'
import { validatePodStatus } from './validate-status.ts'
import { validatePodUpdate } from './validate-update.ts'

export const pods = define<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  hasStatus: true,
  tracksGeneration: true,
  views: { ephemeralcontainers: 'desired', resize: 'desired' },
  deleteReturnsObject: true,
  setDefaults: setPodDefaults,
  prepareForCreate(pod, request) {
    if (pod.spec) {
      linkServiceAccount(pod.spec)
      mergeLabelKeys(pod)
      for (const text of podSpecWarnings('spec', pod.spec)) request.warn(text)
    }
    for (const text of nameWarnings(pod.metadata.name ?? '', "the Pod's hostname")) request.warn(text)
    pod.status = { phase: 'Pending', qosClass: qosClass(pod) }
    holdAtGates(pod)
  },
  prepareForUpdate(pod, old, request) {
    if (request.subresource === 'status') {
      const { qosClass: before } = old.status ?? {}
      if (pod.status && !pod.status.qosClass && before) pod.status.qosClass = before
      if (old.metadata.ownerReferences) pod.metadata.ownerReferences = old.metadata.ownerReferences
      else delete pod.metadata.ownerReferences
    } else if (request.subresource === 'ephemeralcontainers') {
      keepAllBut(pod, old, ['ephemeralContainers'])
    } else if (request.subresource === 'resize') {
      keepAllBut(pod, old, ['containers', 'initContainers'])
    } else if (pod.spec) linkServiceAccount(pod.spec)
  },
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  validateStatus: validatePodStatus,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.podIPs': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  columns: podColumns,
  gracePeriodSeconds(pod, asked) {
    // Nothing runs anywhere, or nothing runs any more: there is nobody to wait for.
    const { phase } = pod.status ?? {}
    if (!pod.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0
    const period = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0
    return period < 0 ? 1 : period
  },
})

/** A subresource changes some fields of the spec; whatever else its body says is not heard. */
function keepAllBut(
  pod: Of<Pod>,
  old: Of<Pod>,
  fields: readonly ('containers' | 'initContainers' | 'ephemeralContainers')[],
): void {
  const { resourceVersion, managedFields } = pod.metadata
  pod.metadata = {
    ...old.metadata,
    ...(resourceVersion && { resourceVersion }),
    ...(managedFields && { managedFields }),
  }
  const wanted = pod.spec
  pod.spec = { ...(old.spec ?? { containers: [] }) }
  for (const field of fields) {
    if (wanted?.[field]) Object.assign(pod.spec, { [field]: wanted[field] })
    else delete pod.spec[field]
  }
}

/** A pod with scheduling gates says at once why nobody schedules it. */
function holdAtGates(pod: Of<Pod>): void {
  if (!pod.spec?.schedulingGates?.length || !pod.status) return
  pod.status.conditions = [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ]
}

import type { Pod } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField } from '../../faults.ts'
import type { ResourceRequest } from '../../request.ts'
import { imageSpaces } from '../../validation/pod/containers.ts'
import { validatePodAnnotations, validatePodSpec } from '../../validation/pod/pod-spec.ts'
import type { Of } from '../define.ts'

export function validatePod(pod: Of<Pod>, request: Pick<ResourceRequest, 'verb'>): Fault[] {
  const spec = pod.spec ?? { containers: [] }
  const faults = [
    ...validatePodAnnotations('metadata.annotations', pod.metadata.annotations ?? {}),
    ...validatePodSpec('spec', spec, { of: 'pod', podName: pod.metadata.name }),
  ]
  if (!spec.serviceAccountName) faults.push(...tokenFaults(spec.volumes ?? []))
  for (const field of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      faults.push(...imageSpaces(`spec.${field}[${index}]`, container))
    }
  }
  if (request.verb !== 'create') return faults
  if (spec.ephemeralContainers?.length) {
    faults.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    faults.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  return faults
}

type Volumes = NonNullable<NonNullable<Pod['spec']>['volumes']>

/** A token is always somebody's. */
function tokenFaults(volumes: Volumes): Fault[] {
  return volumes.flatMap(({ projected }, index) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, position) =>
      serviceAccountToken
        ? [
            forbiddenField(
              `spec.volumes[${index}].projected.sources[${position}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          ]
        : [],
    ),
  )
}

import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Fault } from '../../faults.ts'
import type { ResourceRequest } from '../../request.ts'
import type { Of } from '../define.ts'

export function validatePodUpdate(_pod: Of<Pod>, _old: Of<Pod>, _request: ResourceRequest): Fault[] {
  return []
}

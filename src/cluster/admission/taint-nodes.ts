import type { Admission, Admitter } from '../registry/index.ts'
import type { Node } from '../../kube/index.ts'
import { resourceOf } from './refusal.ts'

const notReady = 'node.kubernetes.io/not-ready'

/** A new node takes no pods until it has said that it is ready. */
export const taintNodesByCondition: Admitter = {
  name: 'TaintNodesByCondition',
  mutate(admission: Admission): void {
    const { operation, request, object } = admission
    if (operation !== 'CREATE' || request.subresource !== undefined || object === undefined) return
    if (resourceOf(admission) !== '/nodes') return
    const node = object as Node
    const taints = node.spec?.taints ?? []
    if (taints.some((taint) => taint.key === notReady && taint.effect === 'NoSchedule')) return
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: 'NoSchedule' }] }
  },
}

import { tolerates } from '../../../kube/index.ts'
import type { Filter, Refusal } from '../filter.ts'

const refusal: Refusal = {
  filter: 'NodeUnschedulable',
  reasons: ['node(s) were unschedulable'],
  isHopeless: true,
}

export const nodeUnschedulable: Filter = {
  name: 'NodeUnschedulable',
  helpedBy: ['node'],
  prepare(pod) {
    const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
    if (tolerates(pod.tolerations, taint)) return undefined
    return (node) => (node.isUnschedulable ? refusal : undefined)
  },
}

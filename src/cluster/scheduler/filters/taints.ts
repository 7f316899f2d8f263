import { tolerates } from '../../../kube/index.ts'
import type { Filter, Refusal } from '../filter.ts'

const refusal: Refusal = {
  filter: 'TaintToleration',
  reasons: ['node(s) had untolerated taint(s)'],
  isHopeless: true,
}

export const taints: Filter = {
  name: 'TaintToleration',
  helpedBy: ['node'],
  prepare(pod) {
    return (node) => {
      for (const taint of node.taints) {
        if (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') continue
        if (!tolerates(pod.tolerations, taint)) return refusal
      }
      return undefined
    }
  },
}

import type { Filter, Refusal } from '../filter.ts'

const refusal: Refusal = {
  filter: 'NodePorts',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  isHopeless: false,
}

export const hostPorts: Filter = {
  name: 'NodePorts',
  helpedBy: ['node', 'pod-gone'],
  prepare(pod) {
    if (pod.ports.length === 0) return undefined
    return (node) => (node.hasPortOf(pod.ports) ? refusal : undefined)
  },
}

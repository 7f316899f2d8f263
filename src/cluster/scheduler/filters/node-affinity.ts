import type { Filter, Refusal } from '../filter.ts'

const refusal: Refusal = {
  filter: 'NodeAffinity',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  isHopeless: true,
}

export const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  helpedBy: ['node'],
  prepare(pod) {
    const matches = pod.matchesNode
    if (matches === undefined) return undefined
    return (node) => (matches(node.labels, node.name) ? undefined : refusal)
  },
}

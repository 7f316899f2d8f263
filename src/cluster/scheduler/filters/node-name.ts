import type { Filter, Refusal } from '../filter.ts'

const refusal: Refusal = {
  filter: 'NodeName',
  reasons: ["node(s) didn't match the requested node name"],
  isHopeless: true,
}

export const nodeName: Filter = {
  name: 'NodeName',
  helpedBy: ['node'],
  prepare(pod) {
    const wanted = pod.spec.nodeName
    return wanted ? (node) => (node.name === wanted ? undefined : refusal) : undefined
  },
}

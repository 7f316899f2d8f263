import type { PodSpec } from '../../../kube/index.ts'
import { type Filter, PodRefused, type Refusal } from '../filter.ts'

const name = 'NodeAffinity'
const refusal: Refusal = {
  filter: name,
  reasons: [`node(s) didn't satisfy plugin(s) [${name}]`],
  isHopeless: true,
}

/** A pod that is meant for certain nodes by name, as those of daemon sets are: others are not even looked at. */
export const namedNodes: Filter = {
  name,
  helpedBy: ['node'],
  prepare({ spec }) {
    const names = namesOf(spec)
    if (names === undefined) return undefined
    if (names.size === 0) throw new PodRefused(name, 'pod affinity terms conflict')
    return (node) => (names.has(node.name) ? undefined : refusal)
  },
}

function namesOf(spec: PodSpec): ReadonlySet<string> | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined) return undefined
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const [first, ...others] = matchFields
      .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
      .map(({ values = [] }) => values)
    // A term that names no node is open to all of them.
    if (first === undefined) return undefined
    for (const one of first) if (others.every((values) => values.includes(one))) names.add(one)
  }
  return names
}

import type { Filter, Refusal } from '../filter.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

const name = 'NodeResourcesFit'

export const resources: Filter = {
  name,
  helpedBy: ['node', 'pod-gone'],
  prepare: (pod) => (node) => fits(pod, node),
}

function fits(pod: PodInfo, node: NodeInfo): Refusal | undefined {
  let reasons: string[] | undefined
  // A pod larger than the whole node gains nothing from others leaving it.
  let isHopeless = false
  if (node.pods.size + 1 > node.allowedPods) (reasons ??= []).push('Too many pods')
  const check = (resource: string, wanted: number, used: number, capacity: number): void => {
    if (wanted <= 0 || wanted <= capacity - used) return
    ;(reasons ??= []).push(`Insufficient ${resource}`)
    if (wanted > capacity) isHopeless = true
  }
  const { requests } = pod
  const { allocatable, requested } = node
  check('cpu', requests.cpu, requested.cpu, allocatable.cpu)
  check('memory', requests.memory, requested.memory, allocatable.memory)
  for (const [resource, wanted] of requests.others) {
    check(resource, wanted, requested.others.get(resource) ?? 0, allocatable.others.get(resource) ?? 0)
  }
  return reasons === undefined ? undefined : { filter: name, reasons, isHopeless }
}

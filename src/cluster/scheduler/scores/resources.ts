import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Score } from '../score.ts'

const share = (used: number, capacity: number): number => (capacity <= 0 ? 1 : Math.min(1, used / capacity))

function shares(pod: PodInfo, node: NodeInfo): [cpu: number, memory: number] {
  return [
    share(node.scoredCpu + pod.scoredCpu, node.allocatable.cpu),
    share(node.scoredMemory + pod.scoredMemory, node.allocatable.memory),
  ]
}

/** Prefers nodes with the most CPU and memory left. */
export const leastAllocated: Score = {
  name: 'NodeResourcesFit',
  weight: 1,
  scale: 'none',
  prepare: (pod) => (node) => {
    const [cpu, memory] = shares(pod, node)
    return Math.floor(((1 - cpu) * 100 + (1 - memory) * 100) / 2)
  },
}

/** Prefers nodes on which CPU and memory would be used in equal shares. */
export const balancedAllocation: Score = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  scale: 'none',
  prepare(pod) {
    if (pod.requests.cpu === 0 && pod.requests.memory === 0) return undefined
    return (node) => {
      const cpu = share(node.requested.cpu + pod.requests.cpu, node.allocatable.cpu)
      const memory = share(node.requested.memory + pod.requests.memory, node.allocatable.memory)
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100)
    }
  },
}

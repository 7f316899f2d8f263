import type { Filter } from '../filter.ts'
import { claimAccess } from './claim-access.ts'
import { hostPorts } from './host-ports.ts'
import { namedNodes } from './named-nodes.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podAffinity } from './pod-affinity.ts'
import { resources } from './resources.ts'
import { taints } from './taints.ts'
import { topologySpread } from './topology-spread.ts'
import { volumeBinding } from './volume-binding.ts'

/** In the order in which Kubernetes asks: the first refusal is the one that is reported. */
export const filters: readonly Filter[] = [
  namedNodes,
  nodeUnschedulable,
  nodeName,
  taints,
  nodeAffinity,
  hostPorts,
  resources,
  claimAccess,
  volumeBinding,
  topologySpread,
  podAffinity,
]

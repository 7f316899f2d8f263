import type { EventRecorder, KubeClient, Persisted, Pod, Service } from '../../../kube/index.ts'
import type { Clock } from '../clock.ts'
import type { Runtime } from '../runtime.ts'
import type { PodAddresses } from './addresses.ts'
import type { NodeDevices } from './devices.ts'
import type { Gate } from './gate.ts'
import type { HostsFiles } from './hosts.ts'

/** What all pods of an agent share. */
export interface AgentContext {
  readonly client: KubeClient
  readonly clock: Clock
  readonly dataDirectory: string
  readonly recorder: EventRecorder
  /** All pods together write a bounded number of statuses and removals at a time. */
  readonly writes: Gate
  readonly hosts: HostsFiles
  readonly addresses: PodAddresses
  readonly allowRoot: boolean
  /** The other pods of a node that have not ended. */
  othersOn(node: string, uid: string): Iterable<Persisted<Pod>>
  /** The services of a namespace whose addresses pods are told, as far as they are known. */
  servicesOf(namespace: string): readonly Persisted<Service>[]
  readonly isRoot: boolean
  readonly nfsDirectories: Readonly<Record<string, string>>
  /** Variables that tell pods where the API server is. */
  readonly clusterEnvironment: Readonly<Record<string, string>>
  /** The agent itself is ending. */
  readonly signal: AbortSignal
  /** Called once each when the agent ends. A signal takes ever longer the more listeners it has; this does not. */
  readonly endings: Set<() => void>
  readonly onError: (error: unknown) => void
}

/** What the pods of one node share. */
export interface NodeContext {
  readonly name: string
  readonly address: string
  readonly allocatable: Readonly<Record<string, string>>
  readonly runtime: Runtime
  readonly devices: NodeDevices
}

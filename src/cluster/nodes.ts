import { hostname } from 'node:os'
import type { ClusterConfig, NodeConfig } from './config.ts'
import {
  type AgentNode,
  discoverMachine,
  type Machine,
  machineCapacity,
  ProcessRuntime,
  type Runtime,
  SimulatedRuntime,
} from './runtime/index.ts'

/** The nodes of a cluster file, or this machine as the only one. */
export async function nodesOf(config: ClusterConfig, dataDir: string): Promise<AgentNode[]> {
  const machine = await discoverMachine()
  const runtimes = new Map<string, Runtime>()
  const runtime = (name: 'process' | 'simulated'): Runtime => {
    const known = runtimes.get(name)
    if (known) return known
    const made = name === 'process' ? processRuntime(config, dataDir, machine) : new SimulatedRuntime()
    runtimes.set(name, made)
    return made
  }
  const whole = machineCapacity(machine)
  const nodes: readonly NodeConfig[] = config.nodes ?? [
    { name: hostname().toLowerCase(), role: 'worker', capacity: whole, labels: {} },
  ]
  let gpusGiven = 0
  /** Nodes that share this machine must not be given the same devices of it. */
  const gpusOf = (node: NodeConfig): { gpus?: readonly number[] } => {
    const count = Number(node.capacity['nvidia.com/gpu'] ?? 0)
    if (machine.gpus.length === 0 || count === 0) return {}
    const first = gpusGiven
    gpusGiven += count
    return { gpus: Array.from({ length: count }, (_, index) => first + index) }
  }
  return nodes.map((node) => ({
    name: node.name,
    ...gpusOf(node),
    isControlPlane: node.role === 'control-plane',
    capacity: { pods: '110', 'ephemeral-storage': whole['ephemeral-storage'] ?? '100Gi', ...node.capacity },
    labels: node.labels,
    runtime: runtime(node.runtime ?? config.runtime),
  }))
}

function processRuntime(config: ClusterConfig, dataDir: string, machine: Machine): Runtime {
  return new ProcessRuntime({
    dataDirectory: dataDir,
    allowRoot: config.allowRoot,
    gpuIdentifiers: machine.gpus.map(({ identifier }) => identifier),
  })
}

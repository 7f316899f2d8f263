/** Nodes and the runtimes that run their containers. */
export { type AgentNode, type NodeAgent, type NodeAgentOptions, startNodeAgent } from './agent/agent.ts'
export { type Clock } from './clock.ts'
export { discoverMachine, type Gpu, type Machine, machineCapacity } from './machine.ts'
export { endProcesses } from './process/end-processes.ts'
export { ProcessRuntime, type ProcessRuntimeOptions } from './process/process-runtime.ts'
export type { PodUsage, Runtime } from './runtime.ts'
export { SimulatedRuntime, type SimulatedRuntimeOptions, simulatedAnnotations } from './simulated.ts'
export type { ExitStatus, LogOptions, PodRef, PodStreams, StreamIo, TerminalSize } from './streams.ts'

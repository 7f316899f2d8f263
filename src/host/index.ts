/** The machine where people log in: its accounts, groups and homes. */
export { findAccount, type HostAccount } from './account.ts'
export { applyHost, type HostApplyOptions, type HostOutcome } from './apply.ts'
export { describeHostChange, type HostChange } from './change.ts'
export { type HostPlan, type HostPlanOptions, planHost } from './plan.ts'
export { installKubeconfig, writeIntoHome } from './private-file.ts'
export { type Run, runProgram } from './run.ts'
export { type HostState, type HostWorld, readHost } from './state.ts'
export type { Program, WantedHost, WantedUser } from './wanted.ts'

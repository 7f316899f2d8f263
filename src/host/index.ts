/** The machine where people log in: its accounts, groups and homes. */
export { findAccount, type HostAccount } from './account.ts'
export { installKubeconfig, writeIntoHome } from './private-file.ts'
export { type Run, runProgram } from './run.ts'

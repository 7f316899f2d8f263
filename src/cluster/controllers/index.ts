/**
 * The controllers of the embedded cluster: pure Kubernetes API clients, each with an account and rights of its own.
 */
export type { Controller, ControllerContext, ControllerSettings } from './controller.ts'
export { type ControllersOptions, type RunningControllers, startControllers } from './start.ts'

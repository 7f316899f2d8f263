/** Gives pods nodes. A pure Kubernetes API client: runs inside the embedded cluster or beside any other. */
export { type SchedulerOptions, startScheduler } from './scheduler.ts'

/** Requests that lead through the server to the programs in pods: `pods/NAME/proxy`, `services/NAME/proxy`. */
export { type Destination, findDestination, isProxied } from './destination.ts'
export { forward } from './forward.ts'
export { forwardUpgrade } from './upgrade.ts'

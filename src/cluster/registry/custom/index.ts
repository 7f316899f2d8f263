/** Custom resources: the kind that defines kinds, and what it makes the server serve. */
export { customResourceDefinitions } from './definition.ts'
export { followDefinitions, type FollowParts } from './follow.ts'
export { establishedStatus } from './naming.ts'
export { definitionsOf } from './resource-definition.ts'

/**
 * What the schema of a custom resource does to its objects. Written by hand and not on top of ajv: the exact messages
 * of the API server, pruning and list maps are not JSON Schema, and one walk over an object costs less than compiling a
 * validator for each CRD version.
 */
export { applyDefaults } from './defaulting.ts'
export { prune } from './prune.ts'
export { validateStructural } from './validate-structural.ts'

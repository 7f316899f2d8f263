/**
 * The Common Expression Language as Kubernetes has it: compiled once, checked as far as types are known, and bounded
 * in time whatever the expression and the objects.
 */
export { Budget } from './budget.ts'
export { compile } from './compile/compile.ts'
export { Environment, type ObjectTypes } from './environment.ts'
export {
  CelBudgetError,
  CelCompileError,
  CelEvaluationError,
  CelOverloadError,
  CelResultError,
} from './errors.ts'
export {
  AuthorizerValue,
  authorizerType,
  type RightsAnswer,
  type RightsQuestion,
  resourceCheck,
  resourceCheckType,
} from './functions/authorizer.ts'
export { jsonPatches } from './functions/json-patches.ts'
export { kubernetesEnvironment } from './functions/table.ts'
export { fromJson } from './json-values.ts'
export { typeOfKind } from './kind-type.ts'
export { MadeObject, misnamed } from './made-objects.ts'
export { type Bindings, Program } from './program.ts'
export * as celTypes from './types.ts'
export type { Type } from './types.ts'
export { toJson } from './to-json.ts'
export { displayed, LazyFields, List, Optional, type Value, ValueList, ValueMap } from './values.ts'

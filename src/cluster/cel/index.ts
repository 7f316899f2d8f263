/**
 * The Common Expression Language as Kubernetes has it: compiled once, checked as far as types are known, and bounded
 * in time whatever the expression and the objects.
 */
export { Budget } from './budget.ts'
export { compile } from './compile/compile.ts'
export { Environment } from './environment.ts'
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
export { kubernetesEnvironment } from './functions/table.ts'
export { fromJson } from './json-values.ts'
export { typeOfKind } from './kind-type.ts'
export { type Bindings, Program } from './program.ts'
export * as celTypes from './types.ts'
export type { Type } from './types.ts'
export { LazyFields, Optional, type Value } from './values.ts'

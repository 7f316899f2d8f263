/** Admission: what a request must pass, and what it gets added, between authorisation and the store. */
export type { AdmissionContext, AuthorizationAnswer, AuthorizationQuestion, ServedKind } from './context.ts'
export { admissionSteps } from './table.ts'
export { mutatingExpressionFaults } from './mutating-policies/compile.ts'
export { conditionFaults } from './policies/expressions.ts'
export { policyExpressionFaults } from './validating-policies/compile.ts'
export { type ExpressionWarning, policyTypeWarnings } from './validating-policies/type-check.ts'

/** Admission: what a request must pass, and what it gets added, between authorisation and the store. */
export type { AdmissionContext, AuthorizationAnswer, AuthorizationQuestion } from './context.ts'
export { admissionSteps } from './table.ts'

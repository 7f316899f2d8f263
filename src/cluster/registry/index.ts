/**
 * One pipeline for every kind, and the table of kinds. `schema/`, `patch/` and `custom/` have front doors of their own, for
 * those who read bodies and write answers.
 */
export * from './admission.ts'
export { Catalog, type Served } from './catalog.ts'
export { checkName } from './create.ts'
export type { DeleteOptions } from './delete.ts'
export * from './faults.ts'
export { keyOf, prefixOf, storedAs } from './keys.ts'
export type { Listed, ListOptions } from './list.ts'
export type { RegistryParts } from './parts.ts'
export { plainFailure } from './plain-failure.ts'
export * from './reader.ts'
export {
  type AlternativeName,
  type CertificateWish,
  readCertificateRequest,
} from './resources/certificates/read.ts'
export type { MutatingAdmissionPolicyBinding } from './resources/admission-policy/mutating-binding.ts'
export type { MutatingAdmissionPolicy } from './resources/admission-policy/mutating-policy.ts'
export { createRegistry, type Registry, writerOf } from './registry.ts'
export * from './request.ts'
export * from './resource.ts'
export { parseSelection, type Selection } from './selection.ts'
export { apiVersionOf, type Encoded, itemText, typed, typedText } from './stored-object.ts'
export { readerOf } from './stored-reader.ts'
export type { Change, View } from './update.ts'
export type { Event, WatchOptions } from './watch.ts'
export { ageColumn, nameColumn } from './resources/columns.ts'
export { domainPrefixedPath } from './validation/checks.ts'

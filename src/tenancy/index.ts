/** The organisation as code: its file, what it asks of the cluster, and the way there. */
export { type ExampleOrg, exampleOrg } from './file/example.ts'
export { type Fault, OrgFileError } from './file/fault.ts'
export { parseOrg, readOrgText } from './file/read.ts'
export { changeOrgFile, createOrgFile, writeOrgFile } from './file/write.ts'
export { shortQuotaKey } from './file/quota-keys.ts'
export { labels } from './objects/ownership.ts'
export { type DesiredObject, desiredObjects } from './objects/desired.ts'
export { draftFromCluster, type ImportOptions, listOrganisations } from './import/cluster.ts'
export { draftFromCsv } from './import/csv.ts'
export { decodeCsv } from './import/csv-words.ts'
export { draftText, fillIds, type KnownIds, type OrgDraft } from './import/draft.ts'
export { findOwnedJobs, type JobDecision, type OwnedJob, settleJobs, type SettledJob } from './leaving.ts'
export {
  dropReceipt,
  findReceipt,
  idsOfThoseWhoLeft,
  keepManifest,
  manifestDirectory,
  type Receipt,
  writeReceipt,
} from './receipt.ts'
export { type AuditTrail, type Deed, openAuditTrail } from './audit-trail.ts'
export { findStrangers, type Stranger, watchOrganisation } from './drift.ts'
export { diffOrgs } from './diff.ts'
export { findRevision, listRevisions, recordRevision, type Revision } from './history.ts'
export * from './file/edits.ts'
export { type Cut, cutText, mendText } from './file/cut.ts'
export { type Edit, editText } from './file/edit.ts'
export * from './org.ts'
export { type OrganisationLock, withOrganisationLock } from './organisation-lock.ts'
export { type ApplyOptions, applyChanges, type Outcome } from './plan/apply.ts'
export { type Change, type Conflict, keyOf, nameOf } from './plan/change.ts'
export { isSupporting } from './plan/meaning.ts'
export { type GroupStatus, type OrgStatus, orgStatus, type UserStatus } from './status.ts'
export { outdated, readSavedPlan, refuseOutdated, type SavedPlan, savePlan } from './plan/saved.ts'
export { losses, type Plan, type PlanOptions, planOrg } from './plan/plan.ts'

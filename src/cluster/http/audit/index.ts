export { createAuditor, type Auditor } from './auditor.ts'
export { type LogFile, openLogFile } from './log-file.ts'
export { type AuditPolicy, parseAuditPolicy, usualPolicy } from './policy.ts'

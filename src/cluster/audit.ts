import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { ClusterConfig } from './config.ts'
import {
  type Auditor,
  type AuditPolicy,
  createAuditor,
  type LogFile,
  openLogFile,
  parseAuditPolicy,
  usualPolicy,
} from './http/index.ts'

/** Opens `audit.log` in the data directory, unless the cluster file switches it off. */
export async function openAudit(
  config: ClusterConfig,
  dataDir: string,
  report: (line: string) => void,
): Promise<{ readonly auditor: Auditor; readonly log: LogFile } | undefined> {
  const { enabled = true, policyFile, maxMegabytes = 100, maxFiles = 10 } = config.audit
  if (!enabled) return undefined
  const policy = policyFile === undefined ? usualPolicy : await readPolicy(policyFile)
  const log = openLogFile({
    path: join(dataDir, 'audit.log'),
    maxBytes: maxMegabytes * 1024 * 1024,
    maxFiles,
    onFault: (error) => report(`audit log: ${error instanceof Error ? error.message : String(error)}`),
  })
  return { auditor: createAuditor(policy, log), log }
}

async function readPolicy(file: string): Promise<AuditPolicy> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `the audit policy "${file}" cannot be read`, {
      hint: 'check audit.policyFile in the cluster file',
      cause,
    })
  }
  return parseAuditPolicy(text, file)
}

import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { hasCode, writeWhole } from '../files.ts'

/** What Arena made on this host: only that is locked when it leaves the organisation file. */
export interface HostRecord {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Marks of the password hashes of the file that were set, so that one that a person chose later stays. */
  readonly hashes: Readonly<Record<string, string>>
  /** Accounts whose first password is being set: if it was never shown, nobody knows it. */
  readonly firstPasswords: readonly string[]
}

const emptyRecord: HostRecord = { users: [], groups: [], hashes: {}, firstPasswords: [] }

/** One file for each organisation: another one's people are none of this one's business. */
function recordPath(root: string, organisation: string): string {
  return join(root, 'var/lib/arena', `host-${organisation}.json`)
}

export async function readRecord(root: string, organisation: string): Promise<HostRecord> {
  let text: string
  try {
    text = await readFile(recordPath(root, organisation), 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return emptyRecord
    throw error
  }
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) return emptyRecord
  const names = (field: string): string[] => {
    const list: unknown = Reflect.get(value, field)
    return Array.isArray(list) ? list.map(String) : []
  }
  const hashes: unknown = Reflect.get(value, 'hashes')
  return {
    users: names('users'),
    groups: names('groups'),
    firstPasswords: names('firstPasswords'),
    hashes:
      typeof hashes === 'object' && hashes !== null
        ? Object.fromEntries(Object.entries(hashes).map(([name, mark]) => [name, String(mark)]))
        : {},
  }
}

/** @throws {UserError} `FILE_UNREADABLE` when it cannot be kept: then nothing may be made that would be forgotten. */
export async function writeRecord(root: string, organisation: string, record: HostRecord): Promise<void> {
  const path = recordPath(root, organisation)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    await writeWhole(path, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `the record of what is made here, ${path}, cannot be written`, {
      hint: `make ${dirname(path)} writable for root: ${cause instanceof Error ? cause.message : ''}`,
      cause,
    })
  }
}

import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cannotRead, cannotWrite, hasCode, writePrivateFile } from '../files.ts'
import { UserError } from '../errors.ts'
import type { Cut } from './file/cut.ts'
import type { SettledJob } from './leaving.ts'

/** What was done when somebody left: proof for the admin, and what `--undo` needs. */
export interface Receipt {
  readonly version: 1
  readonly user: string
  readonly uid: number
  readonly home: string
  readonly removedAt: string
  readonly undoUntil: string
  /** Entries of the organisation file as they were. */
  readonly entry: unknown
  readonly memberships: Readonly<Record<string, unknown>>
  /** How they stood in the file, comments included. */
  readonly cuts?: readonly Cut[]
  readonly jobs: readonly SettledJob[]
  readonly jobsGoTo?: string
  /** What was asked to become of the jobs. */
  readonly jobsDecision?: string
  readonly data: string
  readonly dataGoesTo?: string
  /** What happened to the account on the client host; `not reached` while the removal is unfinished. */
  readonly host: string
  /** The accounts below this directory are meant; left out when those of the machine were to be left alone. */
  readonly hostRoot?: string
  /** When an undoing of it was complete. */
  readonly undoneAt?: string
}

/** How the names of receipts end. */
const stamp = /-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z\.json$/

function receiptDirectory(orgFile: string): string {
  return join(dirname(orgFile), 'receipts')
}

function pathOf(orgFile: string, { user, removedAt }: Pick<Receipt, 'user' | 'removedAt'>): string {
  return join(receiptDirectory(orgFile), `${user}-${removedAt.replaceAll(/[:.]/g, '-')}`)
}

/** Where the manifests of the jobs are that were stopped. */
export function manifestDirectory(orgFile: string, receipt: Pick<Receipt, 'user' | 'removedAt'>): string {
  return `${pathOf(orgFile, receipt)}-jobs`
}

/** Keeps the manifest of a job beside the receipt, for the admin alone: it may have secrets in it. */
export async function keepManifest(
  orgFile: string,
  receipt: Pick<Receipt, 'user' | 'removedAt'>,
  { job, manifest }: { readonly job: SettledJob; readonly manifest: unknown },
): Promise<void> {
  const name = `${job.namespace}-${job.kind.toLowerCase()}-${job.name}.json`
  const path = join(manifestDirectory(orgFile, receipt), name)
  await write(path, manifest)
}

/** Writes a receipt beside the organisation file, for the admin alone; again, it takes the place of the first. Returns its path. */
export async function writeReceipt(orgFile: string, receipt: Receipt): Promise<string> {
  const path = `${pathOf(orgFile, receipt)}.json`
  await write(path, receipt)
  return path
}

/** @throws {UserError} `FILE_UNREADABLE` */
async function write(path: string, record: unknown): Promise<void> {
  try {
    await writePrivateFile(path, `${JSON.stringify(record, undefined, 2)}\n`)
  } catch (error) {
    throw cannotWrite(`receipt "${path}"`, error)
  }
}

/** Throws away the receipt of a removal that never began. */
export async function dropReceipt(orgFile: string, receipt: Receipt): Promise<void> {
  await rm(`${pathOf(orgFile, receipt)}.json`, { force: true })
}

/**
 * The newest receipt of a user.
 *
 * @throws {UserError} `NOT_FOUND` when there is none.
 */
export async function findReceipt(orgFile: string, user: string): Promise<Receipt> {
  const directory = receiptDirectory(orgFile)
  const names = await namesIn(directory)
  const newest = names
    .filter((each) => stamp.test(each) && each.replace(stamp, '') === user)
    .sort()
    .at(-1)
  if (newest === undefined) {
    const others = new Set(names.filter((each) => stamp.test(each)).map((each) => each.replace(stamp, '')))
    throw new UserError('NOT_FOUND', `there is no receipt of the removal of "${user}"`, {
      hint:
        others.size > 0
          ? `receipts in ${directory} are of: ${[...others].sort().slice(0, 20).join(', ')}`
          : `receipts are kept in ${directory}; without one, add the user again: arena user add ${user} --group GROUP`,
    })
  }
  const value = await readJson(join(directory, newest))
  if (isReceipt(value)) return value
  throw new UserError('CONFIG_INVALID', `receipt "${join(directory, newest)}" is damaged`, {
    hint: `add the user again: arena user add ${user} --group GROUP`,
  })
}

/** The Linux ids of those who left, and who had them: their files are still there, so nobody else should get one. */
export async function idsOfThoseWhoLeft(orgFile: string): Promise<ReadonlyMap<number, string>> {
  const directory = receiptDirectory(orgFile)
  const names = await namesIn(directory)
  const ids = new Map<number, string>()
  for (const name of names.filter((each) => stamp.test(each))) {
    const value = await readJson(join(directory, name))
    if (isReceipt(value) && Number.isSafeInteger(value.uid)) ids.set(value.uid, value.user)
  }
  return ids
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw cannotRead(`the receipts in "${directory}"`, error)
  }
}

/** What a file holds; nothing when it is damaged. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw cannotRead(`receipt "${path}"`, error)
  }
}

function isReceipt(value: unknown): value is Receipt {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['user', 'home', 'removedAt', 'undoUntil'].every(
    (name) => typeof Reflect.get(value, name) === 'string',
  )
  return texts && Reflect.get(value, 'version') === 1 && Array.isArray(Reflect.get(value, 'jobs'))
}

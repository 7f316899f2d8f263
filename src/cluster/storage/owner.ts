import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { startTimeOf } from '../../process-life.ts'

/** The process that has a directory open: its id, and its start time because ids are given out again. */
export interface Owner {
  readonly pid: number
  readonly started: string
}

export function thisProcess(): Owner {
  return { pid: process.pid, started: startTimeOf(process.pid) ?? '' }
}

/** Another process that still runs. */
export function isOtherAlive(owner: Owner): boolean {
  return owner.pid !== process.pid && startTimeOf(owner.pid) === owner.started
}

/**
 * Refuses a directory that another process has open. LMDB's own data says so too, and in one step with the claim, but
 * can be read only after the file was looked at, which must not happen while another process writes it.
 *
 * @throws {UserError} `STORE_IN_USE`.
 */
export function refuseIfInUse(directory: string): void {
  const owner = otherOwner(directory)
  if (owner) throw inUse(directory, owner)
}

/** Does another process have the directory open? */
export function isInUse(directory: string): boolean {
  return otherOwner(directory) !== undefined
}

function otherOwner(directory: string): Owner | undefined {
  let owner: unknown
  try {
    owner = JSON.parse(readFileSync(fileIn(directory), 'utf8'))
  } catch (error) {
    // Half a file: whoever wrote it is gone, or its claim in the store says so.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
  return isOwner(owner) && isOtherAlive(owner) ? owner : undefined
}

export function writeOwner(directory: string): void {
  writeFileSync(fileIn(directory), JSON.stringify(thisProcess()), { mode: 0o600 })
}

export function removeOwner(directory: string): void {
  rmSync(fileIn(directory), { force: true })
}

export function inUse(directory: string, owner: Owner): UserError {
  return new UserError(
    'STORE_IN_USE',
    `the data directory "${directory}" is in use by process ${owner.pid}`,
    { hint: `stop that cluster first: arena cluster stop --data-dir ${directory.replace(/\/store$/, '')}` },
  )
}

export function isOwner(value: unknown): value is Owner {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'started' in value &&
    typeof value.started === 'string'
  )
}

const fileIn = (directory: string): string => join(directory, 'owner.json')

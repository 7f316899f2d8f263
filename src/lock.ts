import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { UserError } from './errors.ts'
import { cannotWrite, hasCode } from './files.ts'
import { isRunning, startTimeOf } from './process-life.ts'

/** Who works on something, as far as it can be told. */
export interface LockHolder {
  readonly pid: number
  readonly host?: string
  /** The command, as in `host apply`. */
  readonly what?: string
  /** RFC 3339. */
  readonly since?: string
}

export interface LockOptions {
  /** What it is a lock of, for messages: `organisation file "org.yaml"`. */
  readonly subject: string
  /** The command that asks, for whoever finds the lock taken: `host apply`. */
  readonly what: string
  /** How long to wait for others. */
  readonly patienceMs: number
  readonly signal?: AbortSignal
  /** Called once, when it has to wait. */
  readonly onWait?: (holder: LockHolder) => void
}

// A process of this machine is looked up; one of another machine that shares the directory shows by its heart that it lives.
const heartbeatMs = 10_000
const silentMs = 60_000
/** So long two that ask in the same instant need at most to see which of them is first. */
const shortestPatienceMs = 500

/**
 * Does `work` while nobody else who asks for the same lock works on `file`, in this process, on this machine, or on another
 * one that shares the directory. Whoever was killed holds nothing; of another machine it takes a minute to be sure.
 *
 * Each asks by a file of a name that is never used again, and may begin when it finds no other's: of two that ask at once the
 * later one sees the first, so that at most one begins. That is why the files of the dead can be removed without a race.
 *
 * @throws {UserError} `LOCKED` when others did not finish in time, `FILE_UNREADABLE` without a place for the lock.
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const claim = await takeLock(file, options)
  const heart = setInterval(() => void beat(claim), heartbeatMs)
  heart.unref()
  try {
    return await work()
  } finally {
    clearInterval(heart)
    await withdraw(claim)
  }
}

/** A file that asks for a lock. It is written and touched through its handle: a link put in its place leads nowhere. */
interface Claim {
  readonly path: string
  readonly handle: FileHandle
}

async function takeLock(file: string, options: LockOptions): Promise<Claim> {
  const { what, subject, patienceMs, signal } = options
  const mine = `${prefixOf(file)}${newMark()}`
  const path = join(dirname(file), mine)
  const giveUpAt = performance.now() + Math.max(patienceMs, shortestPatienceMs)
  let claim: Claim | undefined
  let hasWaited = false
  try {
    for (;;) {
      let found = await look(file, mine, subject)
      if (found.rivals.length === 0 && claim === undefined) {
        claim = await place(path, subject)
        found = await look(file, mine, subject)
      }
      if (found.rivals.length === 0 && found.hasMine && claim !== undefined) {
        await tell(claim, newHolder(what))
        return claim
      }
      // Of those who wait one stays in line, so that they do not make way for each other for ever.
      const isFirst = found.hasMine && found.rivals.every((rival) => mine < rival)
      if (claim !== undefined && !isFirst) {
        await withdraw(claim)
        claim = undefined
      } else if (claim !== undefined) await beat(claim)
      const isLate = performance.now() >= giveUpAt
      if (found.rivals.length > 0 && (isLate || !hasWaited)) {
        const holder = await holderOf(file, found.rivals)
        if (isLate) throw locked(subject, holder)
        options.onWait?.(holder)
        hasWaited = true
      }
      await setTimeout(15 + Math.random() * 20, undefined, { ...(signal && { signal }) })
    }
  } catch (error) {
    if (claim !== undefined) await withdraw(claim)
    throw error
  }
}

async function place(path: string, subject: string): Promise<Claim> {
  try {
    return { path, handle: await open(path, 'wx', 0o644) }
  } catch (cause) {
    throw cannotWrite(subject, cause)
  }
}

async function withdraw({ path, handle }: Claim): Promise<void> {
  await handle.close()
  await rm(path, { force: true })
}

/** A sign of life for those on other machines. */
async function beat({ handle }: Claim): Promise<void> {
  await handle.utimes(new Date(), new Date()).catch(ignoreSystem)
}

/** The lock holds without the words: a full disk takes the name and not the text. */
async function tell({ handle }: Claim, holder: LockHolder): Promise<void> {
  await handle.writeFile(JSON.stringify(holder)).catch(ignoreSystem)
}

function ignoreSystem(error: unknown): void {
  if (!(error instanceof Error && 'code' in error)) throw error
}

const prefixOf = (file: string): string => `.${basename(file)}.lock-`

interface Found {
  /** The names of the others that ask for the lock or hold it. */
  readonly rivals: readonly string[]
  /** After a long sleep others may have taken this one for dead. */
  readonly hasMine: boolean
}

/** Who asks for the lock or holds it. What the dead left is removed. */
async function look(file: string, mine: string, subject: string): Promise<Found> {
  const directory = dirname(file)
  const names = await readdir(directory).catch((error: unknown) => {
    throw cannotWrite(subject, error)
  })
  const rivals: string[] = []
  for (const name of names) {
    if (name === mine || !name.startsWith(prefixOf(file))) continue
    if (await isAlive(directory, name, prefixOf(file))) rivals.push(name)
    else await rm(join(directory, name), { force: true }).catch(() => undefined)
  }
  return { rivals, hasMine: names.includes(mine) }
}

async function isAlive(directory: string, name: string, prefix: string): Promise<boolean> {
  const life = lifeOf(name.slice(prefix.length))
  if (life !== 'elsewhere') return life === 'running'
  try {
    return Date.now() - (await stat(join(directory, name))).mtimeMs < silentMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** The one that works, else one of those that wait. */
async function holderOf(file: string, rivals: readonly string[]): Promise<LockHolder> {
  for (const name of rivals) {
    const text = await readFile(join(dirname(file), name), 'utf8').catch(() => '')
    const holder = parseHolder(text)
    if (holder !== undefined) return holder
  }
  return { pid: Number(rivals[0]?.slice(prefixOf(file).length).split('-')[1]) }
}

/** This process as whoever asks for a lock from now on. */
export function newHolder(what: string): LockHolder {
  return { pid: process.pid, host: hostname(), what, since: new Date().toISOString() }
}

/** What was written down of a holder; undefined when it is none. */
export function parseHolder(text: string): LockHolder | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const word = (name: string): string | undefined => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
    return typeof found === 'string' ? found : undefined
  }
  const pid: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'pid') : undefined
  if (typeof pid !== 'number') return undefined
  const [host, what, since] = [word('host'), word('what'), word('since')]
  return {
    pid,
    ...(host !== undefined && { host }),
    ...(what !== undefined && { what }),
    ...(since !== undefined && { since }),
  }
}

/** Who it is, in words: `"arena host apply" (process 4711 on client01) since 2026-11-24T07:01:02.000Z`. */
export function describeHolder({ pid, host, what, since }: LockHolder): string {
  const place = host === undefined ? '' : ` on ${host}`
  const whom = what === undefined ? `process ${pid}${place}` : `"arena ${what}" (process ${pid}${place})`
  return `${whom}${since === undefined ? '' : ` since ${since}`}`
}

/** Refused, as somebody else is at it. */
export function locked(subject: string, holder: LockHolder): UserError {
  return new UserError('LOCKED', `${subject} is being changed by ${describeHolder(holder)}`, {
    hint: 'nothing was changed; run the command again when the other one has ended',
  })
}

/** A mark of this process that is never made twice; {@link lifeOf} reads it. */
export function newMark(): string {
  const started = startTimeOf(process.pid) ?? ''
  return [machine(), process.pid, started, randomBytes(6).toString('hex')].join('-')
}

/** What is known of the process that made a mark; of another machine's nothing is. */
export function lifeOf(mark: string): 'running' | 'ended' | 'elsewhere' {
  const [where, pid, started = ''] = mark.split('-')
  if (where !== machine()) return 'elsewhere'
  return isRunning(Number(pid), started) ? 'running' : 'ended'
}

let known: string | undefined

/** One running system with process ids of its own: another machine, container or start of this one is another. */
function machine(): string {
  known ??= createHash('sha256')
    .update([hostname(), bootId(), processNamespace()].join('\n'))
    .digest('hex')
    .slice(0, 8)
  return known
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}

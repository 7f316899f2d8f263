import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../files.ts'
import { type HostAccount, parseAccount } from './account.ts'
import { readFromHome } from './home-read.ts'
import { readRecord, type HostRecord } from './record.ts'
import { programPath, type Run } from './run.ts'
import type { Program, WantedHost } from './wanted.ts'

/** The host as it is, as far as the organisation is concerned. */
export interface HostState {
  readonly accounts: ReadonlyMap<string, HostAccount>
  readonly groups: ReadonlyMap<string, HostGroup>
  /** Password field of shadow(5) by account; absent where it may not be read. */
  readonly shadow: ReadonlyMap<string, ShadowEntry>
  /** What is at the home of each wanted account. */
  readonly homes: ReadonlyMap<string, HomeState>
  readonly missingShells: ReadonlySet<string>
  /** The programs that make accounts, as far as this machine has not got them. */
  readonly missingPrograms: readonly string[]
  readonly hasProgram: boolean
  readonly record: HostRecord
}

export interface HostGroup {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

export interface ShadowEntry {
  readonly password: string
  /** Days since 1970 after which nobody can log in. */
  readonly expiresOnDay?: number
}

export interface HomeState {
  readonly path: string
  /** Owner and mode; absent when there is nothing. */
  readonly found?: { readonly uid: number; readonly mode: number; readonly isDirectory: boolean }
  readonly authorizedKeys?: string
  readonly kubeconfig?: string
}

/** The machine to look at. */
export interface HostWorld {
  readonly run: Run
  /** A directory to work on instead of `/`, as for an image. */
  readonly root: string
}

/** Reads the accounts and groups, and the homes of those that the organisation asks for. Changes nothing. */
export async function readHost(world: HostWorld, wanted: WantedHost): Promise<HostState> {
  const { root } = world
  const [passwd, group, shadow, record] = await Promise.all([
    database(world, 'passwd'),
    database(world, 'group'),
    readText(join(root, 'etc/shadow')),
    readRecord(root, wanted.organisation),
  ])
  const accounts = byName(passwd.split('\n').flatMap((line) => parseAccount(line) ?? []))
  const homes = new Map<string, HomeState>()
  for (const user of wanted.users) {
    const account = accounts.get(user.name)
    const path = account?.home ?? `/home/${user.name}`
    homes.set(user.name, await readHome(root, path, account?.uid ?? user.uid))
  }
  const missingShells = new Set<string>()
  for (const shell of new Set(wanted.users.map((user) => user.shell))) {
    if ((await stateOf(join(root, shell))) === undefined) missingShells.add(shell)
  }
  return {
    accounts,
    groups: byName(group.split('\n').flatMap((line) => parseGroup(line) ?? [])),
    shadow: new Map((shadow ?? '').split('\n').flatMap(parseShadow)),
    homes,
    missingShells,
    missingPrograms: await missingPrograms(),
    hasProgram: wanted.program !== undefined && (await isInstalled(root, wanted.program)),
    record,
  }
}

async function missingPrograms(): Promise<readonly string[]> {
  const missing: string[] = []
  for (const name of ['groupadd', 'useradd', 'usermod', 'chpasswd', 'chage']) {
    const found = await Promise.all(programPath.map((directory) => stateOf(join(directory, name))))
    if (found.every((each) => each === undefined)) missing.push(name)
  }
  return missing
}

/** The whole machine knows more than its files, where accounts come from a directory service. */
async function database({ run, root }: HostWorld, name: 'passwd' | 'group'): Promise<string> {
  const own = (await readText(join(root, 'etc', name))) ?? ''
  if (root !== '/') return own
  const { status, output } = await run('getent', [name])
  return status === 0 ? output : own
}

function parseGroup(line: string): HostGroup | undefined {
  const [name = '', , gid, members = ''] = line.trimEnd().split(':')
  if (name === '' || gid === undefined) return undefined
  return { name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }
}

function parseShadow(line: string): [string, ShadowEntry][] {
  const [name = '', password = '', , , , , , expiry = ''] = line.split(':')
  if (name === '') return []
  return [[name, { password, ...(expiry !== '' && { expiresOnDay: Number(expiry) }) }]]
}

async function readHome(root: string, path: string, owner: number): Promise<HomeState> {
  const full = join(root, path)
  const [found, authorizedKeys, kubeconfig] = await Promise.all([
    stateOf(full),
    readFromHome(join(full, '.ssh/authorized_keys'), owner),
    // It is only looked at, and an admin may have copied it there.
    readFromHome(join(full, '.kube/config'), owner, { isRootsWelcome: true }),
  ])
  return {
    path,
    ...(found && { found: { uid: found.uid, mode: found.mode & 0o7777, isDirectory: found.isDirectory() } }),
    ...(authorizedKeys !== undefined && { authorizedKeys }),
    ...(kubeconfig !== undefined && { kubeconfig }),
  }
}

export const programDirectory = 'usr/local/lib/arena'

async function isInstalled(root: string, program: Program): Promise<boolean> {
  const [own, installed, link, completion] = await Promise.all([
    directoryMark(program.directory),
    directoryMark(join(root, programDirectory)),
    stateOf(join(root, 'usr/local/bin/arena')),
    readText(join(root, 'etc/bash_completion.d/arena')),
  ])
  return own === installed && link !== undefined && completion === program.completion
}

/** A mark of what is in a directory; empty when there is none. */
async function directoryMark(directory: string): Promise<string> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (isAbsent(error)) return ''
    throw error
  }
  const hash = createHash('sha256')
  for (const name of names.filter((each) => each.endsWith('.js')).sort()) {
    hash.update(name).update(await readFile(join(directory, name)))
  }
  return hash.digest('hex')
}

async function stateOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Not there, or not for us to see: the plan of an ordinary user shows what it can. */
function isAbsent(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'ELOOP')
}

function byName<T extends { name: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.name, item]))
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../files.ts'
import type { Run } from './run.ts'

/** A Linux account as `/etc/passwd`, or whatever the machine uses instead, has it. */
export interface HostAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly fullName: string
  readonly home: string
  readonly shell: string
}

/** Finds an account by name or number; undefined when there is none. */
export async function findAccount(run: Run, nameOrId: string | number): Promise<HostAccount | undefined> {
  const { status, output } = await run('getent', ['passwd', String(nameOrId)])
  return status === 0 ? parseAccount(output) : undefined
}

/** The same in an image or on this machine; its home is the path from here. */
export async function findAccountIn(
  world: { readonly run: Run; readonly root: string },
  name: string,
): Promise<HostAccount | undefined> {
  if (world.root === '/') return findAccount(world.run, name)
  const text = await readFile(join(world.root, 'etc/passwd'), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  })
  const line = text.split('\n').find((each) => each.startsWith(`${name}:`))
  const account = line === undefined ? undefined : parseAccount(line)
  return account && { ...account, home: join(world.root, account.home) }
}

/** Reads one line of passwd(5). */
export function parseAccount(line: string): HostAccount | undefined {
  const [name = '', , uid, gid, gecos = '', home = '', shell = ''] = line.trimEnd().split(':')
  if (name === '' || uid === undefined || gid === undefined) return undefined
  return { name, uid: Number(uid), gid: Number(gid), fullName: gecos.split(',')[0] ?? '', home, shell }
}

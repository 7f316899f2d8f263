import { join } from 'node:path'
import { readIfThere } from '../files.ts'
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
  if (status === 0) return parseAccount(output)
  // Small machines have no getent, and no accounts but those of the file.
  return status === 127 ? accountOfFile('/etc/passwd', nameOrId) : undefined
}

/** How many names one program is asked for: its arguments have to fit. */
const namesAtOnce = 500

/** The Linux ids of those accounts or groups that this machine knows. */
export async function findIds(
  run: Run,
  kind: 'passwd' | 'group',
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>()
  for (let first = 0; first < names.length; first += namesAtOnce) {
    // Ends with 2 when one of them is not there, and tells of the others all the same.
    const { output } = await run('getent', [kind, '--', ...names.slice(first, first + namesAtOnce)])
    for (const line of output.split('\n')) {
      const [name = '', , id = ''] = line.split(':')
      if (/^\d+$/.test(id)) ids.set(name, Number(id))
    }
  }
  return ids
}

async function accountOfFile(path: string, nameOrId: string | number): Promise<HostAccount | undefined> {
  const text = (await readIfThere(path)) ?? ''
  const accounts = text.split('\n').flatMap((line) => parseAccount(line) ?? [])
  return accounts.find(({ name, uid }) =>
    typeof nameOrId === 'number' ? uid === nameOrId : name === nameOrId,
  )
}

/** The same in an image or on this machine; its home is the path from here. */
export async function findAccountIn(
  world: { readonly run: Run; readonly root: string },
  name: string,
): Promise<HostAccount | undefined> {
  if (world.root === '/') return findAccount(world.run, name)
  const account = await accountOfFile(join(world.root, 'etc/passwd'), name)
  return account && { ...account, home: join(world.root, account.home) }
}

/** Reads one line of passwd(5). */
export function parseAccount(line: string): HostAccount | undefined {
  const [name = '', , uid, gid, gecos = '', home = '', shell = ''] = line.trimEnd().split(':')
  if (name === '' || uid === undefined || gid === undefined) return undefined
  return { name, uid: Number(uid), gid: Number(gid), fullName: gecos.split(',')[0] ?? '', home, shell }
}

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

/** Reads one line of passwd(5). */
export function parseAccount(line: string): HostAccount | undefined {
  const [name = '', , uid, gid, gecos = '', home = '', shell = ''] = line.trimEnd().split(':')
  if (name === '' || uid === undefined || gid === undefined) return undefined
  return { name, uid: Number(uid), gid: Number(gid), fullName: gecos.split(',')[0] ?? '', home, shell }
}

import { readdir, readFile, readlink } from 'node:fs/promises'

const listening = '0A'

/**
 * Does a process of one of these process namespaces listen on the TCP port? All containers share the machine's
 * network, so the port alone would also lead to the machine's own services and to other people's pods.
 *
 * @param firstProcesses the first process of each namespace
 */
export async function findListener(port: number, firstProcesses: readonly number[]): Promise<boolean> {
  const sockets = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const inode of await listeningSockets(table, port)) sockets.add(`socket:[${inode}]`)
  }
  if (sockets.size === 0) return false
  const spaces = new Set<string>()
  for (const pid of firstProcesses) {
    const space = await namespaceOf(pid)
    if (space !== undefined) spaces.add(space)
  }
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const space = await namespaceOf(pid)
    if (space === undefined || !spaces.has(space)) continue
    if (await holdsAny(pid, sockets)) return true
  }
  return false
}

async function listeningSockets(table: string, port: number): Promise<string[]> {
  const text = await readFile(table, 'utf8').catch(() => '')
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === listening)
    .map((fields) => fields[9] ?? '')
}

async function namespaceOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => undefined)
}

async function holdsAny(pid: number, sockets: ReadonlySet<string>): Promise<boolean> {
  for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => undefined)
    if (target !== undefined && sockets.has(target)) return true
  }
  return false
}

import { readdir, readFile, readlink } from 'node:fs/promises'

const listening = '0A'

/** `::ffff:0:0/96`: IPv4 addresses as sockets of IPv6 see them. */
const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex')

/**
 * The address on which a process of one of these process namespaces listens on the TCP port; `0.0.0.0` or `::` is any. All
 * containers share the machine's network, so the port alone would also lead to the machine's own services and to other people's
 * pods.
 *
 * @param firstProcesses the first process of each namespace
 */
export async function findListener(
  port: number,
  firstProcesses: readonly number[],
): Promise<string | undefined> {
  const sockets = new Map<string, string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const { inode, address } of await listeningSockets(table, port))
      sockets.set(`socket:[${inode}]`, address)
  }
  if (sockets.size === 0) return undefined
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
    const held = await heldOf(pid, sockets)
    if (held !== undefined) return held
  }
  return undefined
}

interface ListeningSocket {
  readonly inode: string
  readonly address: string
}

async function listeningSockets(table: string, port: number): Promise<readonly ListeningSocket[]> {
  const text = await readFile(table, 'utf8').catch(() => '')
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === listening)
    .map((fields) => ({
      inode: fields[9] ?? '',
      address: addressOf((fields[1] ?? '').slice(0, -suffix.length)),
    }))
}

/** The kernel's spelling: words of four bytes in the machine's own order, which is little-endian wherever Node 20 runs. */
function addressOf(words: string): string {
  const bytes = Buffer.from(words, 'hex')
  if (bytes.length === 4) return bytes.swap32().join('.')
  if (bytes.length !== 16) return '::'
  const groups = bytes.swap32()
  if (groups.subarray(0, 12).equals(mappedPrefix)) return groups.subarray(12).join('.')
  return Array.from({ length: 8 }, (_, at) => groups.readUInt16BE(2 * at).toString(16)).join(':')
}

async function namespaceOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => undefined)
}

async function heldOf(pid: number, sockets: ReadonlyMap<string, string>): Promise<string | undefined> {
  for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => undefined)
    const address = target === undefined ? undefined : sockets.get(target)
    if (address !== undefined) return address
  }
  return undefined
}

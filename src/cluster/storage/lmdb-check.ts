import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/*
 * LMDB maps its file into memory and trusts it: a page cut off or overwritten would kill the process. So the file is
 * walked beforehand, page by page, as `struct MDB_page`, `MDB_node`, `MDB_meta` and `MDB_db` lay it out
 * (https://github.com/LMDB/lmdb/blob/mdb.master3/libraries/liblmdb/mdb.c, in the byte order of all machines Node runs on).
 */

const pageHeaderBytes = 24
const nodeHeaderBytes = 8
const databaseBytes = 48
const pageFlags = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const
const nodeFlags = { big: 1, database: 2 } as const
const noPage = 0xffff_ffff_ffff_ffffn
/** More levels than a tree of all page numbers could have. */
const deepest = 32

interface Snapshot {
  readonly descriptor: number
  readonly pageBytes: number
  readonly lastPage: number
  /** One bit per page: no page belongs to two places. */
  readonly used: Uint8Array
}

interface Tree {
  readonly root: bigint
  readonly depth: number
  readonly entries: number
}

/**
 * Looks whether every page of an LMDB file that is in use is there and holds together. An empty file is fine.
 *
 * @throws {Error} that says what is wrong.
 */
export function checkLmdbFile(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (size > 0) checkPages(descriptor, size)
  } finally {
    closeSync(descriptor)
  }
}

function checkPages(descriptor: number, size: number): void {
  const first = bytesAt(descriptor, 0, 4096)
  if (first.readUInt32LE(pageHeaderBytes) !== 0xbeef_c0de) throw new Error('it has no LMDB header')
  const pageBytes = first.readUInt32LE(pageHeaderBytes + 24)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0)
    throw new Error(`its header names pages of ${pageBytes} bytes`)
  const metas = [0, 1].map((page) => readMeta(descriptor, page, pageBytes))
  const [one, other] = metas
  if (!one || !other) throw new Error('it has no LMDB header')
  const { content, lastPage } = one.transaction >= other.transaction ? one : other
  if (size < (lastPage + 1) * pageBytes)
    throw new Error(`it has ${size} bytes where ${(lastPage + 1) * pageBytes} are in use`)
  const snapshot: Snapshot = {
    descriptor,
    pageBytes,
    lastPage,
    used: new Uint8Array((lastPage >> 3) + 1),
  }
  checkTree(snapshot, readTree(content, 24), checkFreePages)
  checkTree(snapshot, readTree(content, 24 + databaseBytes), checkDatabase)
}

function readMeta(
  descriptor: number,
  page: number,
  pageBytes: number,
): { content: Buffer; lastPage: number; transaction: bigint } {
  const bytes = bytesAt(descriptor, page * pageBytes, 512)
  const content = bytes.subarray(pageHeaderBytes)
  if (content.readUInt32LE(0) !== 0xbeef_c0de || bytes.readUInt16LE(18) !== pageFlags.meta)
    throw new Error(`header ${page} is not one of LMDB's`)
  const lastPage = Number(content.readBigUInt64LE(120))
  if (!Number.isSafeInteger(lastPage * pageBytes)) throw new Error(`header ${page} names page ${lastPage}`)
  return { content, lastPage, transaction: content.readBigUInt64LE(128) }
}

function readTree(bytes: Buffer, at: number): Tree {
  return {
    root: bytes.readBigUInt64LE(at + 40),
    depth: bytes.readUInt16LE(at + 6),
    entries: Number(bytes.readBigUInt64LE(at + 32)),
  }
}

/** Looks at one entry of a leaf: its flags and its data, which may lie on pages of its own. */
type EntryCheck = (snapshot: Snapshot, flags: number, data: Buffer | undefined, page: number) => void

function checkTree(snapshot: Snapshot, tree: Tree, check: EntryCheck): void {
  if (tree.root === noPage) {
    if (tree.entries !== 0) throw new Error(`a database without pages counts ${tree.entries} entries`)
    return
  }
  if (tree.depth < 1 || tree.depth > deepest) throw new Error(`a database is ${tree.depth} levels deep`)
  const entries = checkPage(snapshot, Number(tree.root), tree.depth, check)
  if (entries !== tree.entries)
    throw new Error(`a database has ${entries} entries where it counts ${tree.entries}`)
}

/** @returns the number of entries below the page. */
function checkPage(snapshot: Snapshot, page: number, depth: number, check: EntryCheck): number {
  use(snapshot, page)
  const { pageBytes } = snapshot
  const bytes = bytesAt(snapshot.descriptor, page * pageBytes, pageBytes)
  const expected = depth > 1 ? pageFlags.branch : pageFlags.leaf
  const keysEnd = bytes.readUInt16LE(20)
  const nodesStart = bytes.readUInt16LE(22)
  const room = pageBytes - pageHeaderBytes
  if (Number(bytes.readBigUInt64LE(0)) !== page || (bytes.readUInt16LE(18) & 0x2f) !== expected)
    throw new Error(`page ${page} is not the page that belongs there`)
  if (keysEnd > nodesStart || nodesStart > room || keysEnd % 2 !== 0)
    throw new Error(`page ${page} is not filled as it says`)
  const body = bytes.subarray(pageHeaderBytes)
  let entries = 0
  for (let index = 0; index < keysEnd; index += 2) {
    const at = body.readUInt16LE(index)
    if (at < nodesStart || at + nodeHeaderBytes > room)
      throw new Error(`page ${page} points outside of itself`)
    const low = body.readUInt32LE(at)
    const flags = body.readUInt16LE(at + 4)
    const dataAt = at + nodeHeaderBytes + body.readUInt16LE(at + 6)
    if (dataAt > room) throw new Error(`a key of page ${page} does not fit into it`)
    if (depth > 1) {
      entries += checkPage(snapshot, low + flags * 2 ** 32, depth - 1, check)
      continue
    }
    entries++
    const isBig = (flags & nodeFlags.big) !== 0
    const dataEnd = dataAt + (isBig ? 24 : low)
    if (dataEnd > room) throw new Error(`a value of page ${page} does not fit into it`)
    const data = body.subarray(dataAt, dataEnd)
    if (isBig) checkOverflow(snapshot, Number(data.readBigUInt64LE(0)), low)
    check(snapshot, flags, isBig ? undefined : data, page)
  }
  if (entries === 0) throw new Error(`page ${page} is in use and empty`)
  return entries
}

/** A value on pages of its own: the first has a header, the rest is plain data. */
function checkOverflow(snapshot: Snapshot, page: number, valueBytes: number): void {
  use(snapshot, page)
  const { pageBytes, descriptor } = snapshot
  const header = bytesAt(descriptor, page * pageBytes, pageHeaderBytes)
  const pages = header.readUInt32LE(20)
  const needed = Math.floor((pageHeaderBytes - 1 + valueBytes) / pageBytes) + 1
  if (
    Number(header.readBigUInt64LE(0)) !== page ||
    (header.readUInt16LE(18) & pageFlags.overflow) === 0 ||
    pages < needed
  )
    throw new Error(`page ${page} does not hold the value that belongs there`)
  for (let next = page + 1; next < page + pages; next++) use(snapshot, next)
}

function use(snapshot: Snapshot, page: number): void {
  const { lastPage, used } = snapshot
  if (page < 2 || page > lastPage) throw new Error(`page ${page} is named, and the last one is ${lastPage}`)
  const byte = used[page >> 3] ?? 0
  const bit = 1 << (page & 7)
  if (byte & bit) throw new Error(`page ${page} is used twice`)
  used[page >> 3] = byte | bit
}

/** An entry of the main database: the name and the tree of another one. */
function checkDatabase(snapshot: Snapshot, flags: number, data: Buffer | undefined, page: number): void {
  if ((flags & nodeFlags.database) === 0) return
  if (!data || data.length !== databaseBytes) throw new Error(`page ${page} names a database wrongly`)
  checkTree(snapshot, readTree(data, 0), checkValue)
}

function checkValue(_snapshot: Snapshot, flags: number, _data: Buffer | undefined, page: number): void {
  if ((flags & ~nodeFlags.big) !== 0) throw new Error(`page ${page} holds an entry of an unknown kind`)
}

/** A list of free pages: its length, then page numbers; a negative number is the length of the block that follows. */
function checkFreePages(snapshot: Snapshot, flags: number, data: Buffer | undefined, page: number): void {
  checkValue(snapshot, flags, data, page)
  if (!data) return
  const count = data.length >= 8 ? Number(data.readBigInt64LE(0)) : -1
  if (count < 0 || (count + 1) * 8 > data.length)
    throw new Error(`page ${page} holds a list of free pages of wrong length`)
  for (let index = 1; index <= count; index++) {
    const free = data.readBigInt64LE(index * 8)
    if (free > snapshot.lastPage || free < -BigInt(snapshot.lastPage) || free === 1n)
      throw new Error(`page ${page} lists page ${free} as free, and the last one is ${snapshot.lastPage}`)
  }
}

function bytesAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  const read = readSync(descriptor, bytes, 0, length, position)
  if (read < length) throw new Error(`it ends at byte ${position + read}`)
  return bytes
}

import { open } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { ruledKinds } from './objects/desired.ts'
import { type Change, keyOf } from './plan/change.ts'

/** Who did something to an object, by an audit log. */
export interface Deed {
  readonly user: string
  readonly verb: string
  readonly time: string
  /** The program that was used, as it calls itself. */
  readonly agent: string
}

/** An audit log that is read as it grows. */
export interface AuditTrail {
  /**
   * Who last wrote to the objects of some changes, by their keys.
   *
   * @throws {UserError} `FILE_UNREADABLE`
   */
  deedsOf(changes: readonly Change[]): Promise<ReadonlyMap<string, Deed>>
}

const writes = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])
const ruled = new Set(ruledKinds.map(({ group, plural }) => `${group}|${plural}`))
const isWrite = /"verb":\s*"(?:create|update|patch|delete)/

/** Objects whose last writer is remembered. Those that nobody has touched for longest are forgotten first. */
const mostObjects = 50_000
const pieceBytes = 1024 * 1024
/** Longer lines carry whole bodies, and are of no organisation's object. */
const longestLine = 4 * 1024 * 1024

/**
 * Follows an audit log in Kubernetes' format: one event on each line. Each look reads what has been written since the one
 * before; a log that was rotated is read from its start.
 */
export function openAuditTrail(path: string): AuditTrail {
  const deeds = new Map<string, Deed>()
  let position = 0
  let file: bigint | undefined

  function take(line: string): void {
    if (!isWrite.test(line)) return
    const event = parseEvent(line)
    if (event === undefined || event.deed.time < (deeds.get(event.object)?.time ?? '')) return
    deeds.delete(event.object)
    deeds.set(event.object, event.deed)
    if (deeds.size <= mostObjects) return
    for (const oldest of deeds.keys()) {
      deeds.delete(oldest)
      return
    }
  }

  async function readOn(): Promise<void> {
    const handle = await open(path, 'r')
    try {
      const { size, ino } = await handle.stat({ bigint: true })
      if (ino !== file || Number(size) < position) position = 0
      file = ino
      let rest = Buffer.alloc(0)
      let at = position
      while (at < Number(size)) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(pieceBytes), 0, pieceBytes, at)
        if (bytesRead === 0) break
        at += bytesRead
        const piece = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
        const end = piece.lastIndexOf(10) + 1
        for (const line of piece.subarray(0, end).toString('utf8').split('\n')) take(line)
        rest = piece.subarray(end)
        if (rest.length > longestLine) rest = Buffer.alloc(0)
        // What is being written is half there: it is read again when it is whole.
        position = at - rest.length
      }
    } finally {
      await handle.close()
    }
  }

  return {
    async deedsOf(changes) {
      try {
        await readOn()
      } catch (cause) {
        throw new UserError('FILE_UNREADABLE', `audit log "${path}" cannot be read`, {
          hint: 'name the file that the API server writes, and run this where you may read it',
          cause,
        })
      }
      const found = new Map<string, Deed>()
      for (const change of changes) {
        const { group, plural } = change.type
        const place = `${group}|${plural}|${change.namespace ?? ''}`
        const own = deeds.get(`${place}|${change.name}`)
        // Deleting a whole collection names no object.
        const all = change.action === 'create' ? deeds.get(`${place}|`) : undefined
        const deed = (all?.time ?? '') > (own?.time ?? '') ? all : own
        if (deed !== undefined) found.set(keyOf(change), deed)
      }
      return found
    },
  }
}

function parseEvent(line: string): { object: string; deed: Deed } | undefined {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const reference = field(event, 'objectRef')
  const verb = text(field(event, 'verb'))
  const code = Number(field(field(event, 'responseStatus'), 'code') ?? 200)
  const resource = text(field(reference, 'resource'))
  const kind = `${text(field(reference, 'apiGroup'))}|${resource}`
  // A status is written by controllers all the time, and says nothing about who changed what is asked for.
  if (!ruled.has(kind) || field(reference, 'subresource') || !writes.has(verb) || code >= 300)
    return undefined
  const namespace = resource === 'namespaces' ? '' : text(field(reference, 'namespace'))
  const as = text(field(field(event, 'impersonatedUser'), 'username'))
  const deed = {
    user: text(field(field(event, 'user'), 'username')) + (as && ` as ${as}`),
    verb,
    time: text(field(event, 'requestReceivedTimestamp')),
    agent: text(field(event, 'userAgent')),
  }
  return { object: `${kind}|${namespace}|${text(field(reference, 'name'))}`, deed }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

import { setTimeout } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { openGrowingLog } from './audit-log-files.ts'
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
/** A server writes its log a moment after it has answered. */
const writtenWithinMs = 100

/**
 * Follows an audit log in Kubernetes' format: one event on each line. Each look reads what has been written since the one
 * before, also what has been put aside by then. Of what was put aside before the first look it reads as much, backwards, as
 * it takes to find who it was.
 */
export function openAuditTrail(path: string): AuditTrail {
  const deeds = new Map<string, Deed>()
  const log = openGrowingLog(path)

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

  function deedOf(change: Change): Deed | undefined {
    const { group, plural } = change.type
    const place = `${group}|${plural}|${change.namespace ?? ''}`
    const own = deeds.get(`${place}|${change.name}`)
    // Deleting a whole collection names no object.
    const all = change.action === 'create' ? deeds.get(`${place}|`) : undefined
    const last = (all?.time ?? '') > (own?.time ?? '') ? all : own
    // What is missing was deleted by somebody: whoever made it has not taken it away.
    const isDeletion = last?.verb.startsWith('delete') === true
    return isDeletion === (change.action === 'create') ? last : undefined
  }

  return {
    async deedsOf(changes) {
      try {
        if (changes.length > 0) await setTimeout(writtenWithinMs)
        await log.readNew(take)
        while (changes.some((change) => deedOf(change) === undefined) && (await log.readOlder(take)));
      } catch (cause) {
        throw new UserError('FILE_UNREADABLE', `audit log "${path}" cannot be read`, {
          hint: 'name the file that the API server writes, and run this where you may read it',
          cause,
        })
      }
      return new Map(
        changes.flatMap((change): [string, Deed][] => {
          const deed = deedOf(change)
          return deed === undefined ? [] : [[keyOf(change), deed]]
        }),
      )
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
  // Nothing has been decided when a request comes in, and nothing is written by one that only tries.
  if (text(field(event, 'stage')) === 'RequestReceived') return undefined
  if (/[?&]dryRun=All(?:&|$)/.test(text(field(event, 'requestURI')))) return undefined
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

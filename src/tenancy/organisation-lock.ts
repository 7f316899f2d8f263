import { setTimeout } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import {
  isStatus,
  type KubeClient,
  kinds,
  type Lease,
  microTimestamp,
  type Persisted,
  StatusError,
} from '../kube/index.ts'
import {
  describeHolder,
  lifeOf,
  locked,
  type LockHolder,
  type LockOptions,
  newHolder,
  newMark,
  parseHolder,
} from '../lock.ts'
import { systemNamespace, systemNamespaceName } from './objects/namespace.ts'
import { labels, manager, nameOfOrganisation } from './objects/ownership.ts'

/** The right to change an organisation, which one command has at a time. */
export interface OrganisationLock {
  /** Aborted when another command has taken over, as it does when this one gives no sign of life. */
  readonly signal: AbortSignal
  /**
   * Lets others have it while a person thinks.
   *
   * @throws {UserError} `CONFLICT` when somebody had it meanwhile
   */
  openFor<T>(question: () => Promise<T>): Promise<T>
}

const heartbeatMs = 3000
/** Whoever lives elsewhere and has given no sign of life for so long is dead. Seen by this clock alone, as others may be wrong. */
const silentMs = 9000
/** Longer than any two clocks should differ. */
const surelyDeadMs = 5 * 60_000
/** Those who ask in the same instant need so long to see who is first. */
const shortestPatienceMs = 500

const holderAnnotation = 'arena.dev/holder'

/**
 * Does `work` while no other command changes the organisation, from wherever. Kept as a lease in the cluster. Whoever was
 * killed on this machine holds nothing; of another machine it takes seconds to be sure. Without the right to leases the
 * work is done without a lock: `hasLock` tells.
 *
 * @throws {UserError} `LOCKED` when others did not finish in time, or took over while this one was silent
 */
export async function withOrganisationLock<T>(
  client: KubeClient,
  organisation: string,
  options: Omit<LockOptions, 'subject'>,
  work: (lock: OrganisationLock & { readonly hasLock: boolean }) => Promise<T>,
): Promise<T> {
  const lease = await openLease(client, organisation, options)
  if (lease === undefined) {
    const signal = new AbortController().signal
    return work({ signal, hasLock: false, openFor: (question) => question() })
  }
  try {
    return await work({ signal: lease.signal, hasLock: true, openFor: lease.openFor })
  } catch (error) {
    throw lease.signal.aborted ? lease.signal.reason : error
  } finally {
    await lease.close()
  }
}

interface HeldLease extends OrganisationLock {
  close(): Promise<void>
}

async function openLease(
  client: KubeClient,
  organisation: string,
  options: Omit<LockOptions, 'subject'>,
): Promise<HeldLease | undefined> {
  const subject = `organisation "${organisation}"`
  const first = await acquire(client, organisation, { ...options, subject })
  if (first === undefined) return undefined
  const lost = new AbortController()
  let lease = first
  let beats: NodeJS.Timeout | undefined
  // One write after the other: each needs the version that the one before made.
  let writing = Promise.resolve()

  const beat = async (): Promise<void> => {
    try {
      lease = await write(client, renewed(lease))
    } catch (error) {
      // Out of reach for a moment, or too busy: others wait longer than one beat.
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) return
      clearInterval(beats)
      const holder = describeHolder(holderOf(await find(client, organisation).catch(() => undefined)))
      const hint =
        'this command gave no sign of life for too long, and may have made a part of its changes; run it again'
      lost.abort(new UserError('LOCKED', `${subject} was taken over by ${holder}`, { hint }))
    }
  }
  const start = (): void => {
    beats = setInterval(() => {
      writing = writing.then(beat)
    }, heartbeatMs)
    beats.unref()
  }
  const release = async (): Promise<void> => {
    clearInterval(beats)
    await writing
    if (lost.signal.aborted || lease.spec?.holderIdentity === '') return
    try {
      lease = await write(client, released(lease))
    } catch (error) {
      // A cluster that is gone by now lets go by itself; what was done stands.
      if (!(error instanceof UserError) && !(error instanceof StatusError)) throw error
    }
  }
  start()
  return {
    signal: lost.signal,
    close: release,
    async openFor(question) {
      await release()
      const left = lease.metadata.resourceVersion
      const answer = await question()
      const now = await find(client, organisation)
      if (now?.metadata.resourceVersion !== left) {
        throw new UserError('CONFLICT', `${subject} was changed while the question was open`, {
          hint: 'nothing was changed by this one; run the command again',
        })
      }
      const again = await acquire(client, organisation, { ...options, subject })
      if (again !== undefined) lease = again
      start()
      return answer
    },
  }
}

/** The lease as ours; undefined without the right to it. @throws {UserError} `LOCKED` */
async function acquire(
  client: KubeClient,
  organisation: string,
  options: LockOptions,
): Promise<Persisted<Lease> | undefined> {
  const giveUpAt = performance.now() + Math.max(options.patienceMs, shortestPatienceMs)
  const silence = watchSilence()
  let hasWaited = false
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    let found: Persisted<Lease> | undefined
    try {
      found = await find(client, organisation)
      if (found === undefined) return await make(client, organisation, options.what)
      if (isFree(found) || silence(found)) return await write(client, taken(found, options.what))
    } catch (error) {
      if (isStatus(error, 'Forbidden')) return undefined
      // Another one was quicker.
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'AlreadyExists')) throw error
    }
    const holder = holderOf(found)
    if (performance.now() >= giveUpAt) throw locked(options.subject, holder)
    if (!hasWaited && found !== undefined) options.onWait?.(holder)
    hasWaited = true
    await setTimeout(pauseMs, undefined, { ...(options.signal && { signal: options.signal }) })
  }
}

function isFree({ spec }: Persisted<Lease>): boolean {
  const holder = spec?.holderIdentity ?? ''
  if (holder === '' || lifeOf(holder) === 'ended') return true
  const renewedAt = Date.parse(spec?.renewTime ?? '')
  return lifeOf(holder) === 'elsewhere' && !(Date.now() - renewedAt < surelyDeadMs)
}

/** Tells when a lease of another machine has stayed the same for too long. */
function watchSilence(): (lease: Persisted<Lease>) => boolean {
  let version = ''
  let sinceMs = 0
  return ({ metadata, spec }) => {
    if (metadata.resourceVersion !== version) {
      version = metadata.resourceVersion
      sinceMs = performance.now()
    }
    return lifeOf(spec?.holderIdentity ?? '') === 'elsewhere' && performance.now() - sinceMs > silentMs
  }
}

async function find(client: KubeClient, organisation: string): Promise<Persisted<Lease> | undefined> {
  try {
    return await client.get(kinds.leases, placeOf(organisation))
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

async function make(client: KubeClient, organisation: string, what: string): Promise<Persisted<Lease>> {
  const metadata = { ...placeOf(organisation), labels: { [labels.managedBy]: manager } }
  const lease = taken({ metadata }, what)
  const options = { namespace: systemNamespaceName, fieldManager: manager }
  try {
    return await client.create(kinds.leases, lease, options)
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
    const namespace = { type: 'apply', object: systemNamespace() } as const
    await client.patch(kinds.namespaces, { name: systemNamespaceName }, namespace, {
      fieldManager: manager,
      force: true,
    })
    return client.create(kinds.leases, lease, options)
  }
}

function write(client: KubeClient, lease: Persisted<Lease>): Promise<Persisted<Lease>> {
  const { name = '', namespace = '' } = lease.metadata
  return client.replace(kinds.leases, { name, namespace }, lease, { fieldManager: manager })
}

function taken<T extends Lease>(lease: T, what: string): T {
  const now = microTimestamp(Date.now())
  const annotations = { ...lease.metadata?.annotations, [holderAnnotation]: JSON.stringify(newHolder(what)) }
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations },
    spec: {
      holderIdentity: newMark(),
      leaseDurationSeconds: silentMs / 1000,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1,
    },
  }
}

const renewed = (lease: Persisted<Lease>): Persisted<Lease> => ({
  ...lease,
  spec: { ...lease.spec, renewTime: microTimestamp(Date.now()) },
})

const released = (lease: Persisted<Lease>): Persisted<Lease> => ({
  ...lease,
  spec: { ...lease.spec, holderIdentity: '', renewTime: microTimestamp(Date.now()) },
})

function holderOf(lease: Persisted<Lease> | undefined): LockHolder {
  const identity = lease?.spec?.holderIdentity ?? ''
  return (
    parseHolder(lease?.metadata.annotations?.[holderAnnotation] ?? '') ?? {
      pid: Number(identity.split('-')[1]),
    }
  )
}

function placeOf(organisation: string): { name: string; namespace: string } {
  return { name: `organisation.${nameOfOrganisation(organisation)}`, namespace: systemNamespaceName }
}

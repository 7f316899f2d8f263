import {
  boundsOf,
  type IpNetwork,
  isWithin,
  kinds,
  networksOf,
  type Persisted,
  readAddress,
  type Service,
  type ServiceCIDR,
  timestamp,
  WorkQueue,
} from '../../kube/index.ts'
import { type Controller, reconcile, unlessGone } from './controller.ts'

const finalizer = 'networking.k8s.io/service-cidr-finalizer'
const ready = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' } as const
const held = {
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
} as const

type Range = Persisted<ServiceCIDR>

/** Keeps a range of addresses from going while services have addresses that no other range holds. */
export const serviceCidrController: Controller = {
  name: 'service-cidrs-controller',
  async run(context) {
    const { client, informers, signal, now } = context
    const ranges = informers.of(kinds.serviceCidrs)
    const services = informers.of(kinds.services)
    const queue = new WorkQueue()
    const lookAtGoing = (): void => {
      for (const { metadata } of ranges.objects.values())
        if (metadata.deletionTimestamp !== undefined) queue.add(metadata.name)
    }
    ranges.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(change.object.metadata.name)
      // Another range may hold now what kept one from going.
      lookAtGoing()
    })
    services.subscribe(lookAtGoing)

    const isNeeded = async (range: Range): Promise<boolean> => {
      const others = [...ranges.objects.values()].filter(
        ({ metadata }) => metadata.name !== range.metadata.name,
      )
      const rest = networksOf(range).filter((network) => !others.some((other) => holds(other, network)))
      // What the cache does not show yet must not lose its range.
      const live = await client.list(kinds.services, { signal })
      return live.items.some((service) => isInNeed(service, rest, others))
    }

    const settle = async (range: Range, condition: typeof ready | typeof held): Promise<void> => {
      const conditions = range.status?.conditions ?? []
      const live = conditions.find(({ type }) => type === 'Ready')
      if (live?.status === condition.status && live.message === condition.message) return
      const next = { type: 'Ready', ...condition, lastTransitionTime: timestamp(now()) }
      const others = conditions.filter((one) => one !== live).map((one) => ({ ...one }))
      await unlessGone(
        client.patch(
          kinds.serviceCidrs,
          { name: range.metadata.name },
          { type: 'merge', patch: { status: { conditions: [...others, next] } } },
          { subresource: 'status', signal },
        ),
      )
    }

    const hold = async (range: Range, finalizers: string[]): Promise<Range | undefined> => {
      const metadata = { ...range.metadata, finalizers }
      const { name } = range.metadata
      return unlessGone(client.replace(kinds.serviceCidrs, { name }, { ...range, metadata }, { signal }))
    }

    await reconcile(context, queue, async (name) => {
      const range = ranges.get({ name })
      if (range === undefined) return
      const finalizers = range.metadata.finalizers ?? []
      const isHeld = finalizers.includes(finalizer)
      if (range.metadata.deletionTimestamp === undefined) {
        const current = isHeld ? range : await hold(range, [...finalizers, finalizer])
        if (current) await settle(current, ready)
      } else if (isHeld) {
        if (await isNeeded(range)) await settle(range, held)
        else
          await hold(
            range,
            finalizers.filter((one) => one !== finalizer),
          )
      }
    })
  },
}

/** Whether a range has all the addresses of a network. */
function holds(range: Range, network: IpNetwork): boolean {
  const { first, last } = boundsOf(network)
  return networksOf(range).some((one) => isWithin(first, one) && isWithin(last, one))
}

/** Whether a service has an address in one of the networks that no other range has. */
function isInNeed({ spec }: Service, networks: readonly IpNetwork[], others: readonly Range[]): boolean {
  return (spec?.clusterIPs ?? []).some((text) => {
    const address = readAddress(text)
    if (!address || !networks.some((network) => isWithin(address, network))) return false
    return !others.some((other) => networksOf(other).some((network) => isWithin(address, network)))
  })
}

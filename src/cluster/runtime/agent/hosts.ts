import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type EndpointSlice,
  type Informer,
  type Persisted,
  type Pod,
  type Service,
} from '../../../kube/index.ts'
import type { Clock } from '../clock.ts'
import { clusterDomain, hostnameOf, qualifiedNameOf } from './container/host-name.ts'

interface Entry {
  readonly file: string
  readonly pod: Persisted<Pod>
  readonly address: string
  content: string
}

// Endpoints of a job come one by one; its processes need not see every step.
const settleMs = 50

/**
 * Keeps the `/etc/hosts` of running pods up to date, which stands for the cluster's name service: the services of the
 * pod's own namespace and the pods behind them. Those of other namespaces are left out: a file can be read from end
 * to end, and the names of other people's jobs are theirs.
 */
export class HostsFiles {
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>
  readonly #apiAddress: string
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #entries = new Map<string, Entry>()
  readonly #changed = new Set<string>()
  #isScheduled = false

  constructor(options: {
    services: Informer<Service>
    slices: Informer<EndpointSlice>
    apiAddress: string
    clock: Clock
    onError: (error: unknown) => void
  }) {
    this.#services = options.services
    this.#slices = options.slices
    this.#apiAddress = options.apiAddress
    this.#clock = options.clock
    this.#onError = options.onError
    const onChange = (change: { type: string; object?: { metadata: { namespace?: string } } }): void => {
      if (change.object !== undefined) this.#mark(change.object.metadata.namespace ?? '')
    }
    this.#services.subscribe(onChange)
    this.#slices.subscribe(onChange)
  }

  /** Writes a pod's file and keeps it up to date until {@link remove}. */
  async add(pod: Persisted<Pod>, address: string, file: string): Promise<void> {
    const entry = { file, pod, address, content: '' }
    this.#entries.set(pod.metadata.uid, entry)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await this.#write(entry)
  }

  remove(podUid: string): void {
    this.#entries.delete(podUid)
  }

  #mark(namespace: string): void {
    if (this.#entries.size === 0) return
    this.#changed.add(namespace)
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.schedule(settleMs, () => {
      this.#isScheduled = false
      const namespaces = new Set(this.#changed)
      this.#changed.clear()
      for (const entry of this.#entries.values()) {
        if (!namespaces.has(entry.pod.metadata.namespace ?? '')) continue
        this.#write(entry).catch(this.#onError)
      }
    })
  }

  async #write(entry: Entry): Promise<void> {
    const namespace = entry.pod.metadata.namespace ?? ''
    const content = hostsContent({
      pod: entry.pod,
      address: entry.address,
      apiAddress: this.#apiAddress,
      services: this.#services.list(namespace),
      slices: this.#slices.list(namespace),
    })
    if (content === entry.content) return
    entry.content = content
    // In place: the file is mounted, and a new one of the same name would not be the mounted one.
    const file = await open(entry.file, 'a+', 0o644)
    try {
      await file.truncate(0)
      await file.write(content)
    } finally {
      await file.close()
    }
  }
}

export interface HostsInput {
  readonly pod: Persisted<Pod>
  readonly address: string
  readonly apiAddress: string
  readonly services: readonly Persisted<Service>[]
  readonly slices: readonly Persisted<EndpointSlice>[]
}

/** The text of a pod's `/etc/hosts`. */
export function hostsContent({ pod, address, apiAddress, services, slices }: HostsInput): string {
  const namespace = pod.metadata.namespace ?? ''
  const hostname = hostnameOf(pod)
  const qualified = qualifiedNameOf(pod)
  // Programs know by the first line that the file is not the image's own, and which network it speaks of.
  const kept = pod.spec?.hostNetwork === true ? ' (host network)' : ''
  const lines = [
    `# Kubernetes-managed hosts file${kept}.`,
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    [address, ...(qualified === undefined ? [] : [qualified]), hostname].join('\t'),
    `${apiAddress} kubernetes.default kubernetes.default.svc kubernetes.default.${clusterDomain}`,
  ]
  for (const service of [...services].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    lines.push(...serviceLines(service, slices, namespace))
  }
  const { hostAliases = [] } = pod.spec ?? {}
  if (hostAliases.length > 0) lines.push('', '# Entries added by HostAliases.')
  for (const { ip = '', hostnames = [] } of hostAliases) lines.push([ip, ...hostnames].join('\t'))
  return `${lines.join('\n')}\n`
}

function serviceLines(
  service: Persisted<Service>,
  slices: readonly Persisted<EndpointSlice>[],
  namespace: string,
): string[] {
  const name = service.metadata.name
  const names = forms(name, namespace)
  const lines: string[] = []
  for (const slice of slices) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    for (const endpoint of slice.endpoints ?? []) {
      const isReady = endpoint.conditions?.ready !== false || service.spec?.publishNotReadyAddresses === true
      const address = endpoint.addresses[0]
      if (!isReady || address === undefined) continue
      const host = endpoint.hostname
      lines.push(
        [address, ...names, ...(host === undefined ? [] : forms(`${host}.${name}`, namespace))].join(' '),
      )
    }
  }
  return lines.sort()
}

function forms(name: string, namespace: string): string[] {
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.${clusterDomain}`]
}

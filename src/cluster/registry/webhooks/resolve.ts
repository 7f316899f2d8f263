import type { EndpointSlice, KubeObject, Service } from '../../../kube/index.ts'
import type { Reader } from '../reader.ts'

/** Where a connection goes. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * One of the ready addresses behind a port of a service.
 *
 * @throws {Error} that says, in the API server's words, why there is none.
 */
export function resolveService(
  reader: Pick<Reader, 'get' | 'list'>,
  { namespace, name, port }: { readonly namespace: string; readonly name: string; readonly port: number },
): Address {
  const service = reader.get('/services', namespace, name)
  if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
  const { spec } = asService(service)
  if (spec?.type === 'ExternalName') return { host: spec.externalName ?? '', port }
  const servicePort = spec?.ports?.find((one) => one.port === port)
  if (!servicePort) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  const addresses: Address[] = []
  for (const object of reader.list('discovery.k8s.io/endpointslices', namespace)) {
    if (object.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    const { ports, endpoints } = asSlice(object)
    const target = ports?.find((one) => (one.name ?? '') === (servicePort.name ?? ''))?.port
    if (target === undefined) continue
    for (const { addresses: hosts, conditions } of endpoints ?? []) {
      const [host] = hosts
      if (host !== undefined && conditions?.ready !== false) addresses.push({ host, port: target })
    }
  }
  const chosen = addresses[Math.floor(Math.random() * addresses.length)]
  if (!chosen) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
  return chosen
}

/** Stored objects were held against the schemas of their kinds. */
function asService(object: KubeObject): Service {
  return object as Service
}

function asSlice(object: KubeObject): EndpointSlice {
  return object as unknown as EndpointSlice
}

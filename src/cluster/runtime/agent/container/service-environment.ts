import type { Persisted, Pod, Service } from '../../../../kube/index.ts'

/**
 * The variables by which a container finds the services of its namespace
 * (https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables).
 */
export function serviceEnvironment(
  pod: Persisted<Pod>,
  services: readonly Persisted<Service>[],
): Record<string, string> {
  if (pod.spec?.enableServiceLinks === false) return {}
  const environment: Record<string, string> = {}
  for (const { metadata, spec } of services) {
    const { clusterIP, ports = [] } = spec ?? {}
    if (!clusterIP || clusterIP === 'None') continue
    Object.assign(environment, serviceVariables(metadata.name, clusterIP, ports))
  }
  return environment
}

interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly protocol?: string
}

/** What one service is told by: its address and first port, each port by its name, and each by its number. */
export function serviceVariables(
  service: string,
  host: string,
  ports: readonly ServicePort[],
): Record<string, string> {
  const name = variableName(service)
  const [first] = ports
  if (first === undefined) return {}
  const url = ({ port, protocol = 'TCP' }: ServicePort): string =>
    `${protocol.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}`
  const variables: Record<string, string> = {
    [`${name}_SERVICE_HOST`]: host,
    [`${name}_SERVICE_PORT`]: String(first.port),
    [`${name}_PORT`]: url(first),
  }
  for (const port of ports) {
    const { protocol = 'TCP' } = port
    const prefix = `${name}_PORT_${port.port}_${protocol.toUpperCase()}`
    if (port.name) variables[`${name}_SERVICE_PORT_${variableName(port.name)}`] = String(port.port)
    variables[prefix] = url(port)
    variables[`${prefix}_PROTO`] = protocol.toLowerCase()
    variables[`${prefix}_PORT`] = String(port.port)
    variables[`${prefix}_ADDR`] = host
  }
  return variables
}

function variableName(text: string): string {
  return text.toUpperCase().replaceAll('-', '_')
}

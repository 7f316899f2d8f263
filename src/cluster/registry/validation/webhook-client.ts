import { type Fault, invalidValue, required } from '../faults.ts'
import { dns1035Label, dnsSubdomain, portNumber } from './names.ts'

/** How a webhook is reached, as those who register one write it. */
export interface WebhookClientConfig {
  url?: string
  service?: { name?: string; namespace?: string; path?: string; port?: number }
  caBundle?: string
}

/** The port of a webhook's service when none is named. */
const usualPort = 443

export function setClientDefaults(config: WebhookClientConfig | undefined): void {
  if (config?.service) config.service.port ??= usualPort
}

/** Faults of the place where a webhook is: exactly one of a URL and a service. */
export function clientConfigFaults(path: string, config: WebhookClientConfig = {}): Fault[] {
  const { url, service } = config
  if (url === undefined && service !== undefined) return serviceFaults(`${path}.service`, service)
  if (url !== undefined && service === undefined) return urlFaults(`${path}.url`, url)
  return [required(path, 'exactly one of url or service is required')]
}

const form = '; desired format: https://host[/path]'

function urlFaults(path: string, text: string): Fault[] {
  const { scheme, user, host, query, fragment } = partsOf(text)
  const faults: Fault[] = []
  if (scheme !== 'https') {
    faults.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${form}`))
  }
  if (host === '') faults.push(invalidValue(path, host, `host must be provided${form}`))
  else if (!URL.canParse(text)) {
    faults.push(required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid host${form}`))
  }
  if (user !== undefined) {
    faults.push(invalidValue(path, user, 'user information is not permitted in the URL'))
  }
  if (fragment) faults.push(invalidValue(path, fragment, 'fragments are not permitted in the URL'))
  if (query) faults.push(invalidValue(path, query, 'query parameters are not permitted in the URL'))
  return faults
}

/** The parts of a URL as they are written (RFC 3986, appendix B); the language's own parser rewrites them. */
function partsOf(text: string): {
  scheme: string
  host: string
  user: string | undefined
  query: string
  fragment: string
} {
  const parts = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)
  const authority = parts?.[2] ?? ''
  const at = authority.lastIndexOf('@')
  return {
    scheme: (parts?.[1] ?? '').toLowerCase(),
    host: authority.slice(at + 1),
    user: at < 0 ? undefined : authority.slice(0, at),
    query: parts?.[4] ?? '',
    fragment: parts?.[5] ?? '',
  }
}

function serviceFaults(path: string, service: NonNullable<WebhookClientConfig['service']>): Fault[] {
  const { name, namespace, port = usualPort } = service
  const faults: Fault[] = []
  if (!name) faults.push(required(`${path}.name`, 'service name is required'))
  if (!namespace) faults.push(required(`${path}.namespace`, 'service namespace is required'))
  const wrong = portNumber(port)
  if (wrong.length > 0) {
    faults.push(invalidValue(`${path}.port`, port, `port is not valid: ${wrong.join(', ')}`))
  }
  return [...faults, ...pathFaults(`${path}.path`, service.path ?? '')]
}

function pathFaults(path: string, value: string): Fault[] {
  if (value === '' || value === '/') return []
  if (value === '//') return [invalidValue(path, value, 'segment[0] may not be empty')]
  const faults = value.startsWith('/') ? [] : [invalidValue(path, value, "must start with a '/'")]
  for (const [index, segment] of value.slice(1).replace(/\/$/, '').split('/').entries()) {
    if (segment === '') faults.push(invalidValue(path, value, `segment[${index}] may not be empty`))
    else {
      for (const text of dnsSubdomain(segment)) {
        faults.push(invalidValue(path, value, `segment[${index}]: ${text}`))
      }
    }
  }
  return faults
}

/** Versions of reviews that the server speaks, in the order in which messages name them. */
const reviewVersions = ['v1', 'v1beta1']

/**
 * Faults of the versions of reviews that a webhook understands.
 *
 * @param hint what to do where there are none.
 */
export function reviewVersionFaults(path: string, versions: readonly string[], hint = ''): Fault[] {
  if (versions.length === 0) return [required(path, hint)]
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const [index, version] of versions.entries()) {
    if (seen.has(version)) {
      faults.push(invalidValue(`${path}[${index}]`, version, 'duplicate version'))
      continue
    }
    seen.add(version)
    for (const text of dns1035Label(version)) {
      faults.push(invalidValue(`${path}[${index}]`, version, text))
    }
  }
  if (!reviewVersions.some((version) => seen.has(version))) {
    faults.push(invalidValue(path, versions, `must include at least one of ${reviewVersions.join(', ')}`))
  }
  return faults
}

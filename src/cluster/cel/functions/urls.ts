import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, global, method, overload } from '../function.ts'
import { bool, listOf, mapOf, opaque, string } from '../types.ts'
import { Opaque, type Value, ValueList, ValueMap } from '../values.ts'

/** An absolute URL or an absolute path. */
class UrlValue extends Opaque {
  readonly kind = 'kubernetes.URL'
  readonly scheme: string
  readonly url: URL
  constructor(scheme: string, url: URL) {
    super()
    this.scheme = scheme
    this.url = url
  }
  get hostname(): string {
    return this.scheme === '' ? '' : this.url.hostname.replace(/^\[|\]$/g, '')
  }
  equals(other: Opaque): boolean {
    return other instanceof UrlValue && other.scheme === this.scheme && other.url.href === this.url.href
  }
}

const kind = 'kubernetes.URL'
const type = opaque(kind)
type One = [UrlValue]

function read(text: string): UrlValue | undefined {
  if (text.length > 8192 || [...text].some((one) => one <= ' ' || one === '\u007f')) return undefined
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]
  if (scheme === undefined && !text.startsWith('/')) return undefined
  try {
    return new UrlValue(
      scheme?.toLowerCase() ?? '',
      scheme === undefined ? new URL(`http://none${text}`) : new URL(text),
    )
  } catch {
    // What the parser throws is its way of saying no.
    return undefined
  }
}

function query({ url }: UrlValue): Value {
  const keys = [...new Set(url.searchParams.keys())]
  return new ValueMap(keys.map((key) => [key, new ValueList(url.searchParams.getAll(key))] as const))
}

/** The port as written; the default one counts as none. */
function portOf({ url, scheme }: UrlValue): string {
  return scheme === '' ? '' : url.port
}

function hostOf(value: UrlValue): string {
  const port = portOf(value)
  if (value.scheme === '') return ''
  return port === '' ? value.url.hostname : `${value.url.hostname}:${port}`
}

function pathOf({ url }: UrlValue): string {
  try {
    return decodeURIComponent(url.pathname)
  } catch {
    // A path that is no valid escape stands for itself.
    return url.pathname
  }
}

/** Kubernetes' URL library. */
export const urls: readonly CelFunction[] = [
  global(
    'url',
    overload<[string]>(['string'], type, ([text]) => {
      const url = read(text)
      if (url === undefined)
        throw new CelEvaluationError(`URL parse error during conversion from string: ${text}`)
      return url
    }),
  ),
  global(
    'isURL',
    overload<[string]>(['string'], bool, ([text]) => read(text) !== undefined),
  ),
  method(
    'getScheme',
    overload<One>([kind], string, ([value]) => value.scheme),
  ),
  method(
    'getHost',
    overload<One>([kind], string, ([value]) => hostOf(value)),
  ),
  method(
    'getHostname',
    overload<One>([kind], string, ([value]) => value.hostname),
  ),
  method(
    'getPort',
    overload<One>([kind], string, ([value]) => portOf(value)),
  ),
  method(
    'getEscapedPath',
    overload<One>([kind], string, ([{ url }]) => url.pathname),
  ),
  method(
    'getPath',
    overload<One>([kind], string, ([value]) => pathOf(value)),
  ),
  method(
    'getQuery',
    overload<One>([kind], mapOf(string, listOf(string)), ([value]) => query(value)),
  ),
]

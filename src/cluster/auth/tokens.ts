import type { Reader, Subresource } from '../registry/index.ts'
import { badRequest, conflict, invalid, type KubeObject, notFound, timestamp } from '../../kube/index.ts'
import type { AccountTokens, BoundObject } from './account-tokens.ts'

const shortestSeconds = 600
const defaultSeconds = 3600
/** What agents ask for so that old clients, which never read a token again, live on: a year, with a warning after the hour. */
const agentSeconds = 3607
const yearSeconds = 365 * 24 * 3600
const type = { kind: 'TokenRequest', group: 'authentication.k8s.io' }

export interface TokenRequestOptions {
  readonly reader: Reader
  readonly tokens: AccountTokens
}

/** `serviceaccounts/token`: makes a token for a service account, bound to a pod, secret or node if asked. */
export function tokenRequestSubresource(options: TokenRequestOptions): Subresource {
  const { reader, tokens } = options
  return {
    group: '',
    parent: 'serviceaccounts',
    name: 'token',
    kind: 'TokenRequest',
    bodyGroup: 'authentication.k8s.io',
    bodyVersion: 'v1',
    namespaced: true,
    async create(body, request) {
      const { namespace = '', name = '' } = request
      const account = reader.get('/serviceaccounts', namespace, name)
      if (!account) throw notFound({ kind: 'serviceaccounts', name })
      checkNames(body, name, namespace)
      const spec = readSpec(body.spec)
      const audiences = spec.audiences.length > 0 ? spec.audiences : [tokens.issuer]
      checkLifetime(spec.expirationSeconds)
      const bound = spec.boundObjectRef ? bind(spec.boundObjectRef, name, namespace) : {}
      const seconds = spec.expirationSeconds
      const isExtended =
        bound.pod !== undefined && seconds === agentSeconds && audiences.includes(tokens.issuer)
      const { token, expiresAt } = await tokens.mint({
        account,
        audiences,
        lifetimeSeconds: isExtended ? yearSeconds : seconds,
        ...bound,
        ...(isExtended && { warnAfterSeconds: seconds }),
      })
      return {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { ...body.metadata, name, namespace, creationTimestamp: timestamp(new Date()) },
        spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
        status: { token, expirationTimestamp: timestamp(expiresAt) },
      }
    },
  }

  function bind(ref: BoundRef, accountName: string, namespace: string): BoundTo {
    const group = ref.apiVersion.includes('/') ? ref.apiVersion.slice(0, ref.apiVersion.indexOf('/')) : ''
    if (group === '' && ref.kind === 'Pod') {
      const pod = find('pods', namespace, ref)
      const spec = isRecord(pod.spec) ? pod.spec : {}
      if (spec.serviceAccountName !== accountName)
        throw badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(accountName)} to pod running with different serviceaccount name.`,
        )
      return { pod: named(pod), ...nodeOf(spec.nodeName) }
    }
    if (group === '' && ref.kind === 'Secret') return { secret: named(find('secrets', namespace, ref)) }
    if (group === '' && ref.kind === 'Node') return { node: named(find('nodes', undefined, ref)) }
    throw badRequest(`cannot bind token to object of type ${describeKind(ref)}`)
  }

  function nodeOf(nodeName: unknown): BoundTo {
    if (typeof nodeName !== 'string' || nodeName === '') return {}
    const node = reader.get('/nodes', undefined, nodeName)
    return { node: node ? named(node) : { name: nodeName } }
  }

  function find(resource: string, namespace: string | undefined, ref: BoundRef): KubeObject {
    const found = reader.get(`/${resource}`, namespace, ref.name)
    if (!found) throw notFound({ kind: resource, name: ref.name })
    if (ref.uid && found.metadata.uid !== ref.uid)
      throw conflict(
        { kind: ref.kind, name: ref.name },
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    return found
  }
}

interface BoundTo {
  readonly pod?: BoundObject
  readonly secret?: BoundObject
  readonly node?: { readonly name: string; readonly uid?: string }
}

interface BoundRef {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid?: string
}

interface Spec {
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  readonly boundObjectRef: BoundRef | undefined
}

function readSpec(value: unknown): Spec {
  const spec = isRecord(value) ? value : {}
  const ref = isRecord(spec.boundObjectRef) ? spec.boundObjectRef : undefined
  return {
    audiences: Array.isArray(spec.audiences)
      ? spec.audiences.filter((audience): audience is string => typeof audience === 'string')
      : [],
    expirationSeconds: typeof spec.expirationSeconds === 'number' ? spec.expirationSeconds : defaultSeconds,
    boundObjectRef: ref && {
      kind: textOf(ref.kind),
      apiVersion: textOf(ref.apiVersion),
      name: textOf(ref.name),
      ...(textOf(ref.uid) && { uid: textOf(ref.uid) }),
    },
  }
}

function checkNames(body: KubeObject, name: string, namespace: string): void {
  const given = body.metadata ?? {}
  if (given.name && given.name !== name) {
    const message = `Invalid value: ${JSON.stringify(given.name)}: must match the service account name if specified`
    throw invalid({ ...type, name }, [{ reason: 'FieldValueInvalid', message, field: 'metadata.name' }])
  }
  if (given.namespace && given.namespace !== namespace) {
    const message = `Invalid value: ${JSON.stringify(given.namespace)}: must match the service account namespace if specified`
    throw invalid({ ...type, name }, [{ reason: 'FieldValueInvalid', message, field: 'metadata.namespace' }])
  }
}

function checkLifetime(seconds: number): void {
  const fault =
    seconds < shortestSeconds
      ? 'may not specify a duration less than 10 minutes'
      : seconds > 2 ** 32
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined
  if (fault)
    throw invalid(type, [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${seconds}: ${fault}`,
        field: 'spec.expirationSeconds',
      },
    ])
}

function describeKind(ref: BoundRef): string {
  const slash = ref.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : ref.apiVersion.slice(0, slash)
  return `${group}/${ref.apiVersion.slice(slash + 1)}, Kind=${ref.kind}`
}

function named(object: KubeObject): BoundObject {
  return { name: object.metadata.name ?? '', uid: object.metadata.uid ?? '' }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

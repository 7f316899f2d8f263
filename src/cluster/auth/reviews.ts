import { type Fault, invalidValue, type UserInfo, type VirtualResource } from '../registry/index.ts'
import type { Schema } from '../registry/schema/index.ts'
import { badRequest, invalid, type JsonObject, type KubeObject, timestamp } from '../../kube/index.ts'
import type { Attributes, Authorizer } from './authorizer.ts'
import type { Authenticator } from './authenticator.ts'
import type { RuleResolver } from './rbac/rule-resolver.ts'
import { isRecord, recordOf, textOf, textsOf } from './records.ts'
import { fieldSelectorOf, selectorFaults } from './review-selectors.ts'
import { mastersGroup, shownUser } from './users.ts'

const authorizationGroup = 'authorization.k8s.io'
const authenticationGroup = 'authentication.k8s.io'

const authenticationKinds = new Set(['SelfSubjectReview', 'TokenReview'])

export interface ReviewOptions {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly resolver: RuleResolver
  /** Audience of tokens whose review names none. */
  readonly audience: string
}

/** The kinds that answer questions about rights and identities and are never stored. */
export function reviewResources(options: ReviewOptions): VirtualResource[] {
  const { authorizer, resolver } = options
  return [
    {
      ...kindOf(authorizationGroup, 'SelfSubjectAccessReview'),
      create: async (body, { user }) => {
        const spec = recordOf(body.spec)
        check('SelfSubjectAccessReview', [...attributeFaults(spec), ...metadataFaults(body)])
        return answer('SelfSubjectAccessReview', body, decide(authorizer, attributesOf(spec, user)))
      },
    },
    {
      ...kindOf(authorizationGroup, 'SubjectAccessReview'),
      create: async (body) => {
        const spec = recordOf(body.spec)
        const faults = [...attributeFaults(spec), ...subjectFaults(spec), ...metadataFaults(body)]
        check('SubjectAccessReview', faults)
        return answer('SubjectAccessReview', body, decide(authorizer, attributesOf(spec, subjectOf(spec))))
      },
    },
    {
      ...kindOf(authorizationGroup, 'LocalSubjectAccessReview'),
      namespaced: true,
      create: async (body, { namespace = '' }) => {
        const spec = recordOf(body.spec)
        const faults = [
          ...attributeFaults(spec),
          ...subjectFaults(spec),
          ...metadataFaults(body, { namespace: true }),
        ]
        if (isRecord(spec.nonResourceAttributes))
          faults.push(
            invalidValue(
              'spec.nonResourceAttributes',
              spec.nonResourceAttributes,
              'disallowed on this kind of request',
            ),
          )
        check('LocalSubjectAccessReview', faults)
        if (textOf(recordOf(spec.resourceAttributes).namespace) !== namespace)
          throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
        return answer(
          'LocalSubjectAccessReview',
          body,
          decide(authorizer, attributesOf(spec, subjectOf(spec))),
        )
      },
    },
    {
      ...kindOf(authorizationGroup, 'SelfSubjectRulesReview'),
      create: async (body, { user }) => {
        const namespace = textOf(recordOf(body.spec).namespace)
        if (!namespace) throw badRequest('no namespace on request')
        return answer('SelfSubjectRulesReview', body, heldRules(resolver, user, namespace))
      },
    },
    {
      ...kindOf(authenticationGroup, 'SelfSubjectReview'),
      create: async (body, { user }) => answer('SelfSubjectReview', body, { userInfo: shownUser(user) }),
    },
    {
      ...kindOf(authenticationGroup, 'TokenReview'),
      create: async (body) => answer('TokenReview', body, await reviewToken(options, recordOf(body.spec))),
    },
  ]
}

function kindOf(group: string, kind: string): Omit<VirtualResource, 'create'> {
  const singular = kind.toLowerCase()
  const schema: Schema = { $ref: `#/components/schemas/io.k8s.api.${group.split('.')[0]}.v1.${kind}` }
  return { group, version: 'v1', kind, plural: `${singular}s`, singular, namespaced: false, schema }
}

/** The question with its answer. */
function answer(kind: string, body: JsonObject, status: object): KubeObject {
  const metadata = recordOf(body.metadata)
  const group = authenticationKinds.has(kind) ? authenticationGroup : authorizationGroup
  return {
    // A body may leave out what the path says already.
    kind,
    apiVersion: `${group}/v1`,
    ...body,
    metadata: { creationTimestamp: timestamp(Date.now()), ...metadata },
    status,
  }
}

function decide(authorizer: Authorizer, attributes: Attributes): object {
  const { allowed, reason } = authorizer.authorize(attributes)
  return { allowed, ...(reason && { reason }) }
}

function attributesOf(spec: Readonly<Record<string, unknown>>, user: UserInfo): Attributes {
  if (isRecord(spec.nonResourceAttributes))
    return {
      user,
      verb: textOf(spec.nonResourceAttributes.verb),
      path: textOf(spec.nonResourceAttributes.path),
    }
  const asked = recordOf(spec.resourceAttributes)
  return {
    user,
    verb: textOf(asked.verb),
    group: textOf(asked.group),
    resource: textOf(asked.resource),
    ...(textOf(asked.subresource) && { subresource: textOf(asked.subresource) }),
    ...(textOf(asked.namespace) && { namespace: textOf(asked.namespace) }),
    ...(textOf(asked.name) && { name: textOf(asked.name) }),
    ...fieldSelectorOf(asked.fieldSelector),
  }
}

function subjectOf(spec: Readonly<Record<string, unknown>>): UserInfo {
  const extra: Record<string, readonly string[]> = {}
  for (const [key, values] of Object.entries(recordOf(spec.extra)))
    if (key !== '__proto__') extra[key.toLowerCase()] = textsOf(values)
  return {
    name: textOf(spec.user),
    ...(textOf(spec.uid) && { uid: textOf(spec.uid) }),
    groups: textsOf(spec.groups),
    extra,
  }
}

function attributeFaults(spec: Readonly<Record<string, unknown>>): Fault[] {
  const hasResource = isRecord(spec.resourceAttributes)
  const hasPath = isRecord(spec.nonResourceAttributes)
  if (hasResource && hasPath)
    return [
      invalidValue(
        'spec.nonResourceAttributes',
        spec.nonResourceAttributes,
        'cannot be specified in combination with resourceAttributes',
      ),
    ]
  if (hasResource) return selectorFaults(recordOf(spec.resourceAttributes))
  if (hasPath) return []
  return [
    invalidValue(
      'spec.resourceAttributes',
      'null',
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ),
  ]
}

/** A question is nobody's object: it has no name and nothing else that objects have. */
function metadataFaults(body: JsonObject, allowed: { readonly namespace?: boolean } = {}): Fault[] {
  const { managedFields: _entries, ...metadata } = recordOf(body.metadata)
  const given = Object.entries(metadata).filter(
    ([name, value]) => !isZero(value) && !(allowed.namespace && name === 'namespace'),
  )
  if (given.length === 0) return []
  const detail = allowed.namespace ? 'must be empty except for namespace' : 'must be empty'
  return [invalidValue('metadata', metadata, detail)]
}

function subjectFaults(spec: Readonly<Record<string, unknown>>): Fault[] {
  if (textOf(spec.user) || textsOf(spec.groups).length > 0) return []
  return [invalidValue('spec.user', '', 'at least one of user or group must be specified')]
}

function check(kind: string, faults: Fault[]): void {
  if (faults.length > 0) throw invalid({ kind, group: authorizationGroup }, faults)
}

function heldRules(resolver: RuleResolver, user: UserInfo, namespace: string): object {
  const { rules, faults } = resolver.heldBy(user, namespace)
  const all = rules.map(({ rule }) => rule)
  const resourceRules = all
    .filter((rule) => rule.resources.length > 0)
    .map((rule) => ({
      verbs: rule.verbs,
      apiGroups: rule.apiGroups,
      resources: rule.resources,
      ...(rule.resourceNames.length > 0 && { resourceNames: rule.resourceNames }),
    }))
  const nonResourceRules = all
    .filter((rule) => rule.nonResourceURLs.length > 0)
    .map((rule) => ({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs }))
  if (user.groups.includes(mastersGroup) && resourceRules.length === 0) {
    resourceRules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] })
    nonResourceRules.push({ verbs: ['*'], nonResourceURLs: ['*'] })
  }
  return {
    resourceRules,
    nonResourceRules,
    incomplete: false,
    ...(faults.length > 0 && { evaluationError: [...new Set(faults)].join(', ') }),
  }
}

async function reviewToken(options: ReviewOptions, spec: Readonly<Record<string, unknown>>): Promise<object> {
  const token = textOf(spec.token)
  if (!token) throw badRequest('token is required for TokenReview in authentication')
  const asked = textsOf(spec.audiences)
  const found = await options.authenticator.review(token, asked.length > 0 ? asked : [options.audience])
  if (!found) return { user: {}, error: 'invalid bearer token' }
  return { authenticated: true, user: shownUser(found.user), audiences: found.audiences }
}

/** What Go does not tell from a field that nobody has set. */
function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === undefined || value === null || value === '' || value === 0
}

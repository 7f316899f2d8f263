import * as v from 'valibot'
import { UserError } from '../../../errors.ts'
import type { Target } from '../target.ts'
import type { UserInfo } from '../../registry/index.ts'

/** How much of a request is written down, from nothing to both bodies. */
export type AuditLevel = 'None' | 'Metadata' | 'Request' | 'RequestResponse'

const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type AuditStage = (typeof stages)[number]

const names = v.optional(v.array(v.string()), [])
const stageNames = v.optional(v.array(v.picklist(stages)), [])

const policySchema = v.object({
  apiVersion: v.literal('audit.k8s.io/v1'),
  kind: v.literal('Policy'),
  omitStages: stageNames,
  omitManagedFields: v.optional(v.boolean(), false),
  rules: v.pipe(
    v.array(
      v.object({
        level: v.picklist(['None', 'Metadata', 'Request', 'RequestResponse']),
        users: names,
        userGroups: names,
        verbs: names,
        resources: v.optional(
          v.array(v.object({ group: v.optional(v.string(), ''), resources: names, resourceNames: names })),
          [],
        ),
        namespaces: names,
        nonResourceURLs: names,
        omitStages: stageNames,
        omitManagedFields: v.optional(v.boolean()),
      }),
    ),
    v.minLength(1, 'a policy needs a rule'),
  ),
})

/** `audit.k8s.io/v1 Policy` (https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy). */
export type AuditPolicy = v.InferOutput<typeof policySchema>

/** What one request is written down as. */
export interface AuditDecision {
  readonly level: AuditLevel
  readonly omitStages: ReadonlySet<AuditStage>
  readonly omitManagedFields: boolean
}

/**
 * What people change, and where they go in, at the level of metadata: who, what, when, from where, and how it ended. What the
 * control plane does to itself is left out.
 */
export const usualPolicy: AuditPolicy = v.parse(policySchema, {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', userGroups: ['system:serviceaccounts:kube-system', 'system:nodes'] },
    { level: 'None', users: ['system:apiserver', 'system:kube-scheduler', 'system:kube-controller-manager'] },
    {
      level: 'None',
      resources: [
        { group: '', resources: ['events'] },
        { group: 'events.k8s.io', resources: ['events'] },
      ],
    },
    { level: 'None', resources: [{ group: 'authorization.k8s.io' }, { group: 'authentication.k8s.io' }] },
    {
      level: 'Metadata',
      resources: [{ group: '', resources: ['pods/exec', 'pods/attach', 'pods/portforward'] }],
    },
    { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'None' },
  ],
})

/**
 * Reads a policy from the text of a file.
 *
 * @throws {UserError} `CONFIG_INVALID` naming the faults.
 */
export async function parseAuditPolicy(text: string, file: string): Promise<AuditPolicy> {
  const { load } = await import('js-yaml')
  let value: unknown
  try {
    value = load(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserError('CONFIG_INVALID', `the audit policy "${file}" is no YAML: ${why}`, {
      hint,
      cause,
    })
  }
  const result = v.safeParse(policySchema, value)
  if (result.success) return result.output
  const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'file'}: ${issue.message}`)
  throw new UserError('CONFIG_INVALID', `the audit policy "${file}" has faults:\n  ${faults.join('\n  ')}`, {
    hint,
  })
}

const hint = 'see https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/'

const nothing: AuditDecision = { level: 'None', omitStages: new Set(), omitManagedFields: false }
/** Made once for each rule of each policy: every request asks. */
const decisions = new WeakMap<Rule, AuditDecision>()

/** The first rule that fits a request decides; nothing is written down when none does. */
export function decideAudit(
  policy: AuditPolicy,
  user: UserInfo,
  verb: string,
  target: Target,
): AuditDecision {
  const rule = policy.rules.find((one) => fits(one, user, verb, target))
  if (!rule) return nothing
  let decision = decisions.get(rule)
  if (!decision) {
    decision = {
      level: rule.level,
      omitStages: new Set([...policy.omitStages, ...rule.omitStages]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields,
    }
    decisions.set(rule, decision)
  }
  return decision
}

type Rule = AuditPolicy['rules'][number]

function fits(rule: Rule, user: UserInfo, verb: string, target: Target): boolean {
  if (rule.users.length > 0 && !rule.users.includes(user.name)) return false
  if (rule.userGroups.length > 0 && !user.groups.some((group) => rule.userGroups.includes(group)))
    return false
  if (rule.verbs.length > 0 && !rule.verbs.includes(verb)) return false
  if (rule.namespaces.length === 0 && rule.resources.length === 0 && rule.nonResourceURLs.length === 0)
    return true
  return target.resource
    ? fitsResource(rule, target)
    : rule.nonResourceURLs.some((pattern) => fitsPath(pattern, target.path))
}

function fitsResource(rule: Rule, { resource }: Target): boolean {
  if (!resource) return false
  if (rule.nonResourceURLs.length > 0 && rule.resources.length === 0 && rule.namespaces.length === 0)
    return false
  if (rule.namespaces.length > 0 && !rule.namespaces.includes(resource.namespace ?? '')) return false
  if (rule.resources.length === 0) return true
  const full = resource.subresource ? `${resource.plural}/${resource.subresource}` : resource.plural
  return rule.resources.some(
    (one) =>
      one.group === resource.group &&
      (one.resources.length === 0 ||
        one.resources.some((name) => fitsName(name, full, resource.plural, resource.subresource))) &&
      (one.resourceNames.length === 0 || one.resourceNames.includes(resource.name ?? '')),
  )
}

function fitsName(name: string, full: string, plural: string, subresource: string | undefined): boolean {
  if (name === full || name === '*') return true
  if (name === `${plural}/*`) return subresource !== undefined
  return subresource !== undefined && name === `*/${subresource}`
}

function fitsPath(pattern: string, path: string): boolean {
  return (
    pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
  )
}

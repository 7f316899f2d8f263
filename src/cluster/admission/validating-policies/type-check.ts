import type {
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from 'kubernetes-types/admissionregistration/v1.js'
import type { KubeObject } from '../../../kube/index.ts'
import { celTypes, type Type, typeOfKind } from '../../cel/index.ts'
import type { ResourceDefinition } from '../../registry/index.ts'
import { builtinSchemas, type Schema } from '../../registry/schema/index.ts'
import { compileFor } from './compile.ts'

/** What cannot be right about one expression, for some of the kinds that its policy looks at. */
export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}

/** The wire's type lacks one of its fields. */
type Rule = NamedRuleWithOperations & { readonly resources?: readonly string[] }

/** Kubernetes looks at so many kinds of one policy and leaves out the rest. */
const mostKinds = 10

const schemas = '#/components/schemas/io.k8s.apimachinery.pkg.'
const objectMeta: Schema = { $ref: `${schemas}apis.meta.v1.ObjectMeta` }
const quantity = `${schemas}api.resource.Quantity`

/**
 * Holds the expressions of a policy against the schemas of the kinds that its rules name. A policy that looks at whatever
 * there is, by a star, is not looked at itself. Of each expression the first mistake is told.
 */
export function policyTypeWarnings(
  object: KubeObject,
  definitions: readonly ResourceDefinition[],
): ExpressionWarning[] {
  const policy = object as ValidatingAdmissionPolicy
  const warnings = new Map<string, string[]>()
  const { paramKind } = policy.spec ?? {}
  const params = definitions.find(
    (one) => versionOf(one) === paramKind?.apiVersion && one.kind === paramKind.kind,
  )
  for (const definition of kindsOf(policy, definitions)) {
    const { group, version, kind } = definition
    const types = { object: typeOf(definition), params: params ? typeOf(params) : celTypes.dyn }
    for (const { path, text } of compileFor(object, types)) {
      const name = `${group}/${version}, Kind=${kind}`
      warnings.set(path, [...(warnings.get(path) ?? []), `${name}: ${text}\n`])
    }
  }
  return fieldsOf(policy).flatMap((fieldRef) => {
    const found = warnings.get(fieldRef)
    return found ? [{ fieldRef, warning: found.join('\n') }] : []
  })
}

/** The fields that are looked at, in the order in which warnings of them stand. */
function fieldsOf({ spec }: ValidatingAdmissionPolicy): string[] {
  return (spec?.validations ?? []).flatMap((_one, index) =>
    ['expression', 'messageExpression'].map((field) => `spec.validations[${index}].${field}`),
  )
}

function kindsOf(
  { spec }: ValidatingAdmissionPolicy,
  definitions: readonly ResourceDefinition[],
): ResourceDefinition[] {
  const found = new Set<ResourceDefinition>()
  for (const rule of (spec?.matchConstraints?.resourceRules ?? []) as readonly Rule[]) {
    const [groups, versions] = [exact(rule.apiGroups), exact(rule.apiVersions)]
    const resources = new Set((rule.resources ?? []).filter((name) => !/[*/]/.test(name)))
    for (const one of definitions) {
      const isNamed = groups.has(one.group) && versions.has(one.version) && resources.has(one.plural)
      if (isNamed && found.size < mostKinds) found.add(one)
    }
  }
  return [...found].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

function exact(names: readonly string[] = []): Set<string> {
  return new Set(names.includes('*') ? [] : names)
}

const sortKey = ({ group, version, kind }: ResourceDefinition): string => `${group}\0${version}\0${kind}`

const versionOf = ({ group, version }: ResourceDefinition): string =>
  group === '' ? version : `${group}/${version}`

const types = new WeakMap<ResourceDefinition, Type>()

function typeOf(definition: ResourceDefinition): Type {
  const known = types.get(definition)
  if (known) return known
  const { schema, isCustom } = definition
  // The schemas of custom kinds leave out what every object has.
  const common = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: objectMeta } as const
  const whole = isCustom ? { ...schema, properties: { ...schema.properties, ...common } } : schema
  const made = typeOfKind(whole, (one) =>
    // Quantities are texts or numbers.
    one.$ref === quantity ? {} : builtinSchemas.resolve(one as Schema),
  )
  types.set(definition, made)
  return made
}

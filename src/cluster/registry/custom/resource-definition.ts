import { isDeepStrictEqual } from 'node:util'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from 'kubernetes-types/apiextensions/v1.js'
import { type JsonObject, type KubeObject, methodNotAllowed } from '../../../kube/index.ts'
import { type Fault, invalidValue } from '../faults.ts'
import type { ResourceRequest } from '../request.ts'
import type { ResourceDefinition } from '../resource.ts'
import { storageVersionHash } from '../resources/define.ts'
import type { Schema } from '../schema/schema.ts'
import { validateStructural } from '../schema/structural.ts'
import { type Conversions, conversionOf } from './conversion.ts'
import { findAll, JsonPathError, parseJsonPath } from './json-path.ts'
import { isUnchangedAt } from './paths.ts'
import { printerColumns } from './printer-columns.ts'
import { checkRules, compileRules } from './rules.ts'
import { scaleFaults } from './scale-faults.ts'

const unchecked: Fault = invalidValue(
  '<nil>',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)
/** After these, rules would stumble over what is wrong already. */
const blocking = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

/** What a CRD makes the server serve: one definition per served version. */
export function definitionsOf(crd: CustomResourceDefinition, conversions: Conversions): ResourceDefinition[] {
  const served = crd.spec.versions.filter((version) => version.served)
  return served.map((version) => definitionOf(crd, version, conversions))
}

function definitionOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  conversions: Conversions,
): ResourceDefinition {
  const { group, scope, versions } = crd.spec
  const names = crd.status?.acceptedNames?.kind ? crd.status.acceptedNames : crd.spec.names
  const schema = schemaOf(version)
  const stored = versions.find((one) => one.storage) ?? version
  const isTerminating = crd.metadata?.deletionTimestamp !== undefined
  const scale = version.subresources?.scale
  const hasStatus = version.subresources?.status !== undefined
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    namespaced: scope === 'Namespaced',
    ...(names.shortNames && { shortNames: names.shortNames }),
    ...(names.categories && { categories: names.categories }),
    storageVersionHash: storageVersionHash(group, stored.name, names.kind),
    schema,
    versionSchemas: new Map(versions.map((one) => [one.name, one === version ? schema : schemaOf(one)])),
    hasStatus,
    ...(scale !== undefined && { scale }),
    isCustom: true,
    updateNeedsVersion: true,
    tracksGeneration: true,
    deleteReturnsObject: false,
    selectableFields: selectableFields(version),
    columns: printerColumns(version.additionalPrinterColumns),
    ...conversionOf(crd, version, schema, conversions),
    ...checks(schema, scale),
    prepareForCreate(object) {
      if (isTerminating) {
        throw methodNotAllowed('create not allowed while custom resource definition is terminating')
      }
      newObjects.add(object)
    },
    prepareForUpdate(object, old) {
      // Without a status of its own, what stands under `status` is desired state like any other field.
      if (hasStatus || isDeepStrictEqual(object['status'], old['status'])) return
      object.metadata.generation = (old.metadata.generation ?? 0) + 1
    },
  }
}

/** Objects on their way into the store for the first time: there is nothing to compare them with. */
const newObjects = new WeakSet<object>()

type Checks = Pick<ResourceDefinition, 'validate' | 'validateUpdate'>

function checks(schema: Schema, scale: ResourceDefinition['scale']): Checks {
  const rules = compileRules(schema)
  const structural = (object: KubeObject): Fault[] => [
    ...(scale === undefined ? [] : scaleFaults(object, scale)),
    ...validateStructural(json(object), schema),
  ]
  const byRules = (object: KubeObject, old: KubeObject | undefined, faults: readonly Fault[]) => {
    if (rules === undefined) return { faults: [], warnings: [] }
    if (faults.some((fault) => blocking.has(fault.reason))) return { faults: [unchecked], warnings: [] }
    return checkRules(rules, json(object), old === undefined ? undefined : json(old))
  }
  return {
    validate(object) {
      if (!newObjects.has(object)) return []
      const faults = structural(object)
      return [...faults, ...byRules(object, undefined, faults).faults]
    },
    validateUpdate(object, old, request: ResourceRequest) {
      // What was wrong before, and is not touched, must not keep anybody from changing the rest.
      const faults = structural(object).filter(
        ({ field }) => field === '<nil>' || !isUnchangedAt(field, schema, json(object), json(old)),
      )
      const ruled = byRules(object, old, faults)
      for (const warning of ruled.warnings) request.warn(warning)
      return [...faults, ...ruled.faults]
    },
  }
}

/** A decoded object is JSON; its type only says more about the metadata. */
function json(object: KubeObject): JsonObject {
  return object as unknown as JsonObject
}

function schemaOf(version: CustomResourceDefinitionVersion): Schema {
  return (version.schema?.openAPIV3Schema ?? {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }) as Schema
}

function selectableFields(
  version: CustomResourceDefinitionVersion,
): NonNullable<ResourceDefinition['selectableFields']> {
  const fields: Record<string, (object: KubeObject) => string> = {}
  for (const { jsonPath } of version.selectableFields ?? []) {
    try {
      const path = parseJsonPath(jsonPath)
      fields[jsonPath.replace(/^\./, '')] = (object) => {
        const [value] = findAll(path, object)
        return value === undefined || value === null ? '' : String(value)
      }
    } catch (error) {
      // Checked when the definition was made.
      if (!(error instanceof JsonPathError)) throw error
    }
  }
  return fields
}

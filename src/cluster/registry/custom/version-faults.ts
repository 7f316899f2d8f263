import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
} from 'kubernetes-types/apiextensions/v1.js'
import { duplicate, type Fault, forbiddenField, invalidValue, required } from '../faults.ts'
import type { Schema } from '../schema/schema.ts'
import { dns1035Label } from '../validation/names.ts'
import { JsonPathError, parseJsonPath } from './json-path.ts'
import { structuralFaults } from './structural/structural-faults.ts'

const columnTypes = ['integer', 'number', 'string', 'boolean', 'date']
const columnFormats = ['int32', 'int64', 'float', 'double', 'byte', 'date', 'date-time', 'password']
const mostSelectableFields = 8

/** Faults of a CRD's `spec.versions`, in the order and the words of the API server. */
export function versionsFaults(versions: readonly CustomResourceDefinitionVersion[]): Fault[] {
  const faults: Fault[] = []
  if (versions.length === 0) {
    faults.push(invalidValue('spec.versions', '', 'must have exactly one version marked as storage version'))
  }
  const isAlike = new Set(versions.map((version) => JSON.stringify(version.schema ?? null))).size <= 1
  const seen = new Set<string>()
  for (const [at, version] of versions.entries()) {
    const path = `spec.versions[${at}]`
    const wrong = dns1035Label(version.name ?? '')
    if (wrong.length > 0) faults.push(invalidValue(`${path}.name`, version.name, wrong.join(',')))
    if (seen.has(version.name))
      faults.push(invalidValue('spec.versions', version.name, 'must contain unique version names'))
    seen.add(version.name)
    faults.push(...versionFaults(version, path, isAlike))
    // The server folds what all versions share into one place and speaks of that.
    if (version.schema?.openAPIV3Schema !== undefined && (at === 0 || !isAlike)) {
      const schemaPath = isAlike ? 'spec.validation.openAPIV3Schema' : `${path}.schema.openAPIV3Schema`
      if (version.schema.openAPIV3Schema.nullable)
        faults.push(forbiddenField(`${schemaPath}.nullable`, 'nullable cannot be true at the root'))
      faults.push(...structuralFaults(asSchema(version.schema.openAPIV3Schema), schemaPath))
    }
  }
  if (versions.length > 0 && versions.filter((version) => version.storage).length !== 1) {
    const names = versions.map((version) => version.name)
    faults.push(
      invalidValue('spec.versions', names, 'must have exactly one version marked as storage version'),
    )
  }
  return faults
}

function versionFaults(version: CustomResourceDefinitionVersion, path: string, isAlike: boolean): Fault[] {
  const faults: Fault[] = []
  const openApi = version.schema?.openAPIV3Schema
  const schema = openApi === undefined ? undefined : asSchema(openApi)
  if (schema === undefined) {
    faults.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'))
  }
  const shared = isAlike ? 'spec' : path
  const scale = version.subresources?.scale
  if (scale !== undefined) {
    faults.push(
      ...scalePath(`${shared}.subresources.scale.specReplicasPath`, scale.specReplicasPath, ['.spec.'], true),
      ...scalePath(
        `${shared}.subresources.scale.statusReplicasPath`,
        scale.statusReplicasPath,
        ['.status.'],
        true,
      ),
      ...scalePath(
        `${shared}.subresources.scale.labelSelectorPath`,
        scale.labelSelectorPath,
        ['.spec.', '.status.'],
        false,
      ),
    )
  }
  for (const [at, column] of (version.additionalPrinterColumns ?? []).entries()) {
    faults.push(...columnFaults(column, `${shared}.additionalPrinterColumns[${at}]`))
  }
  faults.push(...selectableFaults(version, schema, `${shared}.selectableFields`))
  return faults
}

function scalePath(
  path: string,
  value: string | undefined,
  under: readonly string[],
  isNeeded: boolean,
): Fault[] {
  if (!value) return isNeeded ? [required(path)] : []
  if (value.includes('['))
    return [invalidValue(path, value, 'should be a simple json path without array notation')]
  if (!under.some((start) => value.startsWith(start))) {
    return [
      invalidValue(
        path,
        value,
        `should be a json path under ${under.map((start) => start.slice(0, -1)).join(' or ')}`,
      ),
    ]
  }
  return []
}

function columnFaults(column: CustomResourceColumnDefinition, path: string): Fault[] {
  const faults: Fault[] = []
  if (!column.name) faults.push(required(`${path}.name`))
  if (!column.type) {
    faults.push(required(`${path}.type`, `must be one of ${columnTypes.join(',')}`))
  } else if (!columnTypes.includes(column.type)) {
    faults.push(invalidValue(`${path}.type`, column.type, `must be one of ${columnTypes.join(',')}`))
  }
  if (column.format && !columnFormats.includes(column.format)) {
    faults.push(invalidValue(`${path}.format`, column.format, `must be one of ${columnFormats.join(',')}`))
  }
  if (!column.jsonPath) faults.push(required(`${path}.JSONPath`))
  else {
    const complaint = pathComplaint(column.jsonPath)
    if (complaint !== undefined) faults.push(invalidValue(`${path}.JSONPath`, column.jsonPath, complaint))
  }
  return faults
}

function pathComplaint(text: string): string | undefined {
  try {
    parseJsonPath(text)
    return undefined
  } catch (error) {
    if (error instanceof JsonPathError) return error.message
    throw error
  }
}

function selectableFaults(
  { selectableFields = [] }: CustomResourceDefinitionVersion,
  schema: Schema | undefined,
  path: string,
): Fault[] {
  const faults: Fault[] = []
  if (selectableFields.length > mostSelectableFields) {
    faults.push({
      reason: 'FieldValueTooMany',
      message: `Too many: ${selectableFields.length}: must have at most ${mostSelectableFields} items`,
      field: path,
    })
  }
  const seen = new Set<string>()
  for (const [at, { jsonPath }] of selectableFields.entries()) {
    const place = `${path}[${at}].jsonPath`
    if (!jsonPath) {
      faults.push(required(place))
      continue
    }
    if (seen.has(jsonPath)) faults.push(duplicate(place, jsonPath))
    seen.add(jsonPath)
    if (jsonPath.includes('[')) {
      faults.push(invalidValue(place, jsonPath, 'is an invalid path: array notation is not allowed'))
      continue
    }
    if (jsonPath.startsWith('.metadata')) {
      faults.push(invalidValue(place, jsonPath, 'must not point to fields in metadata'))
      continue
    }
    let found: Schema | undefined = schema
    for (const name of jsonPath.split('.').slice(1)) found = found?.properties?.[name]
    if (found === undefined) {
      faults.push(invalidValue(place, jsonPath, 'is an invalid path: does not refer to a valid field'))
    } else if (!['string', 'integer', 'boolean'].includes(found.type ?? '')) {
      faults.push(
        invalidValue(
          place,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      )
    }
  }
  return faults
}

/** The type of the wire has the extensions' names spelled differently; the JSON is that of a schema. */
function asSchema(openApi: object): Schema {
  return openApi as Schema
}

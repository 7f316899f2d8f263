import { type Json, parseExactJson, NumberRangeError } from '../../../kube/index.ts'
import { maxDepth, tooDeep } from './go-json.ts'
import { countKeys, measure } from './json-keys.ts'
import { duplicateYamlKeys } from './yaml-keys.ts'
import { readingSchema } from './yaml-numbers.ts'

export interface YamlBody {
  readonly value: Json
  /** A complaint for each key that is there twice: `line 6: key "a" already set in map`. */
  readonly duplicates: readonly string[]
}

/** All complaints as the one error that Go makes of them. */
export function yamlErrors(complaints: readonly string[]): string {
  return `yaml: unmarshal errors:\n${complaints.map((each) => `  ${each}`).join('\n')}`
}

// Aliases may repeat what they point to; what they unfold to must stay in proportion to a body of a few megabytes.
const largestBody = 1_000_000

/**
 * Reads the first document of a YAML text (JSON is YAML too) as the API server does: YAML 1.1 booleans, keys as
 * strings, the last of equal keys wins and is complained about.
 *
 * @throws {Error} whose message says what is wrong where: `yaml: line 2: ...`.
 */
export async function parseYaml(text: string): Promise<YamlBody> {
  if (text.trimStart().startsWith('{')) {
    const json = asJson(text)
    if (json?.isUnique) return { value: json.value, duplicates: [] }
    if (json) return { value: json.value, duplicates: duplicateYamlKeys(text, await import('js-yaml')) }
  }
  const yaml = await import('js-yaml')
  const schema = readingSchema(yaml)
  let documents: unknown[]
  try {
    documents = yaml.loadAll(text, { schema, json: true })
  } catch (error) {
    throw new Error(described(error), { cause: error })
  }
  let hasDuplicates = documents.length > 1
  try {
    if (!hasDuplicates) yaml.load(text, { schema })
  } catch (error) {
    if (!isAboutDuplicate(error)) throw new Error(described(error), { cause: error })
    hasDuplicates = true
  }
  const budget = { left: largestBody }
  return {
    value: toJson(documents[0] ?? null, budget, 0),
    duplicates: hasDuplicates ? duplicateYamlKeys(text, yaml) : [],
  }
}

function asJson(text: string): { readonly value: Json; readonly isUnique: boolean } | undefined {
  let value: Json
  try {
    value = parseExactJson(text)
  } catch (error) {
    if (error instanceof NumberRangeError) throw error
    // Flow style that is not JSON: the YAML parser decides.
    return undefined
  }
  const { keys, depth } = measure(text)
  if (depth > maxDepth) throw new Error(tooDeep)
  return { value, isUnique: keys === countKeys(value) }
}

/** A copy without shared parts (aliases share), with what JSON cannot hold refused. */
function toJson(value: unknown, budget: { left: number }, depth: number): Json {
  if (depth > maxDepth) throw new Error(tooDeep)
  if (--budget.left < 0) throw new Error('yaml: document contains excessive aliasing')
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value
    case 'number':
      if (!Number.isFinite(value))
        throw new Error(`error converting YAML to JSON: json: unsupported value: ${value}`)
      return value
    case 'object': {
      if (value === null) return null
      if (Array.isArray(value)) return value.map((item) => toJson(item, budget, depth + 1))
      const pairs = Object.entries(value).map(
        ([key, inner]) => [key, toJson(inner, budget, depth + 1)] as const,
      )
      // Unlike assignment, this makes an ordinary property of a key such as "__proto__".
      return Object.fromEntries(pairs)
    }
    default:
      return null
  }
}

function described(error: unknown): string {
  const reason =
    error instanceof Error && 'reason' in error ? String(error.reason) : 'did not find expected node content'
  const mark = markOf(error)
  return mark === undefined ? `yaml: ${reason}` : `yaml: line ${mark + 1}: ${reason}`
}

function isAboutDuplicate(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('duplicated mapping key')
}

function markOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('mark' in error)) return undefined
  const { mark } = error
  if (typeof mark !== 'object' || mark === null || !('line' in mark)) return undefined
  return typeof mark.line === 'number' ? mark.line : undefined
}

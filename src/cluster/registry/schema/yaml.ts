import type { Schema } from 'js-yaml'
import type { Json } from '../../../kube/index.ts'
import { maxDepth, tooDeep } from './go-json.ts'
import { countKeys, measure } from './json-keys.ts'
import { duplicateYamlKeys } from './yaml-keys.ts'

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

let schema: Schema | undefined

/**
 * Reads the first document of a YAML text (JSON is YAML too) as the API server does: YAML 1.1 booleans, keys as
 * strings, the last of equal keys wins and is complained about.
 *
 * @throws {Error} whose message says what is wrong where: `yaml: line 2: ...`.
 */
export async function parseYaml(text: string): Promise<YamlBody> {
  if (text.trimStart().startsWith('{')) {
    const json = asJson(text)
    if (json !== undefined)
      return { value: json.value, duplicates: json.isUnique ? [] : await complaints(text) }
  }
  const { CORE_SCHEMA, boolYaml11Tag, load, loadAll, mergeTag } = await import('js-yaml')
  schema ??= CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag)
  let documents: unknown[]
  try {
    documents = loadAll(text, { schema, json: true })
  } catch (error) {
    throw new Error(described(error), { cause: error })
  }
  let hasDuplicates = documents.length > 1
  try {
    if (!hasDuplicates) load(text, { schema })
  } catch (error) {
    if (!isAboutDuplicate(error)) throw new Error(described(error), { cause: error })
    hasDuplicates = true
  }
  const budget = { left: largestBody }
  return {
    value: toJson(documents[0] ?? null, budget, 0),
    duplicates: hasDuplicates ? await complaints(text) : [],
  }
}

async function complaints(text: string): Promise<string[]> {
  return duplicateYamlKeys(text, await import('js-yaml'))
}

function asJson(text: string): { readonly value: Json; readonly isUnique: boolean } | undefined {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
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

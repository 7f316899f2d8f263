/** Schema name -> field -> description; the empty field is the type itself. */
export type Descriptions = ReadonlyMap<string, Readonly<Record<string, string>>>

/**
 * The descriptions of the built-in schemas. Loaded for each use and not kept: only OpenAPI documents need them, once
 * each, and they are as large as all the rest together.
 */
export async function builtinDescriptions(): Promise<Descriptions> {
  const { text } = await import('./generated/descriptions.ts')
  return new Map(Object.entries(JSON.parse(text) as Record<string, Record<string, string>>))
}

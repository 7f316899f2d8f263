import type { Schema } from 'js-yaml'
import { exactInteger, type Json } from '../../../kube/index.ts'

type Yaml = Pick<
  typeof import('js-yaml'),
  'CORE_SCHEMA' | 'DUMP_SCHEMA' | 'boolYaml11Tag' | 'intCoreTag' | 'mergeTag'
>

let reading: Schema | undefined
let writing: Schema | undefined

/** What plain words of YAML mean to Kubernetes: YAML 1.1 booleans, and whole numbers with all their digits. */
export function readingSchema({ CORE_SCHEMA, boolYaml11Tag, intCoreTag, mergeTag }: Yaml): Schema {
  reading ??= CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag, {
    ...intCoreTag,
    resolve(source, isExplicit, tagName) {
      const value = intCoreTag.resolve(source, isExplicit, tagName)
      return typeof value === 'number' && !Number.isSafeInteger(value) ? exactInteger(source) : value
    },
  })
  return reading
}

function writingSchema({ DUMP_SCHEMA, intCoreTag }: Yaml): Schema {
  // The library's own tag comes later and would have the first word.
  writing ??= DUMP_SCHEMA.withTags({
    ...intCoreTag,
    tagName: 'tag:yaml.org,2002:int',
    identify: (value) => typeof value === 'bigint' || intCoreTag.identify(value),
    represent: String,
  })
  return writing
}

/** An object as YAML. */
export async function yamlText(value: Json): Promise<string> {
  const yaml = await import('js-yaml')
  return yaml.dump(value, { schema: writingSchema(yaml), lineWidth: -1, noRefs: true })
}

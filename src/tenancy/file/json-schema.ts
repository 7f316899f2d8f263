import { toJsonSchema } from '@valibot/to-json-schema'
import { orgFileSchema } from './schema.ts'

/** The JSON Schema that editors use to complete and check organisation files. */
export function organisationJsonSchema(): object {
  // What JSON Schema cannot say (trimming) is no fault of the file; `arena org check` has the last word.
  const schema = toJsonSchema(orgFileSchema, { errorMode: 'ignore' })
  return { ...schema, $schema: 'http://json-schema.org/draft-07/schema#' }
}

/** What objects look like: schemas of built-in kinds, decoding, and what the schema of a custom resource asks for. */
export { builtinSchemaNames, builtinSchemas, referredName, schemaFor, schemaName } from './builtin.ts'
export {
  type Decoded,
  decodeBody,
  type FieldValidation,
  strictFaults,
  type Target,
  targetShape,
} from './decode.ts'
export { decodeCustom, metadataSchema } from './decode-custom.ts'
export { type DecodedValue, DecodingError, decodeValue, type Wording } from './decode-value.ts'
export { builtinDescriptions, type Descriptions } from './descriptions.ts'
export { protobufFields } from './generated/protobuf-fields.ts'
export { syntaxErrorOf } from './go-json.ts'
export { countKeys, duplicateKeys, keyFaults, measure } from './json-keys.ts'
export { kindOf } from './mismatch-words.ts'
export type { Schema, SchemaSet, ValidationRule } from './schema.ts'
export { applyDefaults, prune, validateStructural } from './structural.ts'
export { parseYaml, type YamlBody, yamlErrors } from './yaml.ts'
export { yamlText } from './yaml-numbers.ts'

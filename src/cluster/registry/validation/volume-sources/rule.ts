import { type Fault, required } from '../../faults.ts'

/** What is wrong with one source of a volume. */
export type Rule = (source: object, path: string) => Fault[]

/** A rule for sources whose shape the schema has checked. */
export const rule =
  <T>(check: (source: T, path: string) => Fault[]): Rule =>
  (source, path) =>
    check(source as T, path)

/** A rule for sources that only need some fields to be there. */
export const needs =
  (...fields: string[]): Rule =>
  (source, path) =>
    fields
      .filter((field) => isEmpty((source as Record<string, unknown>)[field]))
      .map((field) => required(`${path}.${field}`))

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

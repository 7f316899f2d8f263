import type { Event, MappingEvent, ScalarEvent } from 'js-yaml'

/** The parts of the YAML library that are needed here: it is loaded late. */
export type YamlReader = Pick<typeof import('js-yaml'), 'parseEvents' | 'getScalarValue' | 'EVENT_ID'>

/**
 * Keys that a mapping of the first document has more than once, in the words of the Go library: `line 6: key "a" already
 * set in map`, with the line on which the later value begins. What is deeper comes first.
 */
export function duplicateYamlKeys(text: string, reader: YamlReader): string[] {
  const events = reader.parseEvents(text, {})
  const found: string[] = []
  // The first event opens the document.
  walk({ text, reader, events, found }, 1)
  return found
}

interface Walking {
  readonly text: string
  readonly reader: YamlReader
  readonly events: readonly Event[]
  readonly found: string[]
}

/** Looks through the node that begins at an index; returns the index after it. */
function walk(walking: Walking, at: number): number {
  const { events, reader } = walking
  const event = events[at]
  if (event?.type === reader.EVENT_ID.MAPPING) return walkMapping(walking, at + 1)
  if (event?.type !== reader.EVENT_ID.SEQUENCE) return at + 1
  let next = at + 1
  while (next < events.length && events[next]?.type !== reader.EVENT_ID.POP) next = walk(walking, next)
  return next + 1
}

function walkMapping(walking: Walking, start: number): number {
  const { events, reader, found, text } = walking
  const { SCALAR, POP } = reader.EVENT_ID
  const seen = new Set<string>()
  let at = start
  while (at < events.length && events[at]?.type !== POP) {
    const key = events[at]
    const valueAt = walk(walking, at)
    const value = events[valueAt]
    at = walk(walking, valueAt)
    if (key?.type !== SCALAR) continue
    const name = reader.getScalarValue(text, key)
    if (seen.has(name))
      found.push(`line ${lineOf(walking, key, value)}: key ${JSON.stringify(name)} already set in map`)
    seen.add(name)
  }
  return at + 1
}

/** Counted from one. A value that is empty, or a block of text, begins where its key is. */
function lineOf({ text, reader }: Walking, key: ScalarEvent, value: Event | undefined): number {
  const { MAPPING, SEQUENCE } = reader.EVENT_ID
  const isCollection = (event: Event | undefined): event is MappingEvent =>
    event?.type === MAPPING || event?.type === SEQUENCE
  const from = isCollection(value) ? value.start : key.valueStart
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < from; at = text.indexOf('\n', at + 1)) line++
  return line
}

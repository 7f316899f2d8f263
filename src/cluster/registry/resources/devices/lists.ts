import { duplicate, type Fault } from '../../faults.ts'
import { tooMany } from '../../validation/checks.ts'

type Look<T> = (item: T, path: string) => Fault[]

/** Faults of the items of a list. A list that is too long is not looked at. */
export function listFaults<T>(path: string, items: readonly T[], most: number, look: Look<T>): Fault[] {
  if (items.length > most) return [tooMany(path, items.length, most)]
  return items.flatMap((item, index) => look(item, `${path}[${index}]`))
}

/** Faults of the items of a list in which no two may have the same key. */
export function setFaults<T>(
  path: string,
  items: readonly T[],
  most: number,
  how: { readonly look: Look<T>; key(item: T): string },
): Fault[] {
  const faults = listFaults(path, items, most, how.look)
  if (items.length > most) return faults
  const keys = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = how.key(item)
    if (keys.has(key)) faults.push(duplicate(`${path}[${index}]`, key))
    keys.add(key)
  }
  return faults
}

import { Environment } from '../environment.ts'
import type { CelFunction } from '../function.ts'
import { method } from '../function.ts'
import { operators } from '../operators.ts'
import { addresses } from './addresses.ts'
import { authorization } from './authorizer.ts'
import { conversions } from './conversions.ts'
import { lists } from './lists.ts'
import { namedFormats } from './named-formats.ts'
import { optionals } from './optionals.ts'
import { quantities, quantityOrder } from './quantities.ts'
import { regexes } from './regexes.ts'
import { semverOrder, semvers } from './semver.ts'
import { strings } from './strings.ts'
import { urls } from './urls.ts'

const ordered = (['isGreaterThan', 'isLessThan', 'compareTo'] as const).map((name) =>
  method(name, quantityOrder[name], semverOrder[name]),
)

const all: readonly CelFunction[] = [
  ...operators,
  ...conversions,
  ...strings,
  ...lists,
  ...optionals,
  ...regexes,
  ...quantities,
  ...semvers,
  ...ordered,
  ...urls,
  ...addresses,
  ...namedFormats,
  ...authorization,
]

/** Functions of one name from several libraries are one function with the overloads of all. */
function merged(): Map<string, CelFunction> {
  const byName = new Map<string, CelFunction>()
  for (const one of all) {
    const key = one.isMethod ? `.${one.name}` : one.name
    const before = byName.get(key)
    byName.set(
      key,
      before === undefined ? one : { ...one, overloads: [...before.overloads, ...one.overloads] },
    )
  }
  return byName
}

/** The language as Kubernetes has it, without any variables: add those with {@link Environment.with}. */
export const kubernetesEnvironment: Environment = new Environment(new Map(), merged())

import {
  CelCompileError,
  celTypes,
  compile,
  type Environment,
  kubernetesEnvironment,
} from '../../../cel/index.ts'
import { type Fault, invalidValue, notSupported, required, tooLong } from '../../faults.ts'
import { checked } from '../../validation/checks.ts'
import { byteLength, labelText, qualifiedName } from '../../validation/names.ts'
import { driverFaults } from './device-names.ts'
import { listFaults } from './lists.ts'
import type { Configuration, Selector, Toleration } from './types.ts'

const { bool, dyn, mapOf, objectOf, string } = celTypes

export const most = { items: 32, expressionBytes: 10 * 1024, parameterBytes: 10 * 1024 }

// Attributes and capacities by domain, then by name.
const byDomain = mapOf(string, mapOf(string, dyn))
let language: Environment | undefined

/** What is known of a device in expressions. Made with the first: most clusters have none. */
const deviceLanguage = (): Environment =>
  (language ??= kubernetesEnvironment.with({
    device: objectOf({
      driver: string,
      attributes: byDomain,
      capacity: byDomain,
      allowMultipleAllocations: bool,
    }),
  }))

export function selectorFaults(path: string, selectors: readonly Selector[] = []): Fault[] {
  return listFaults(path, selectors, most.items, ({ cel }, at) =>
    cel ? expressionFaults(`${at}.cel.expression`, cel.expression) : [required(`${at}.cel`)],
  )
}

function expressionFaults(path: string, expression: string): Fault[] {
  if (byteLength(expression) > most.expressionBytes) return [tooLong(path, most.expressionBytes)]
  try {
    const { type } = compile(expression, deviceLanguage())
    if (celTypes.fits(type, 'bool')) return []
    const text = `must evaluate to bool or the unknown type, not ${celTypes.nameOfType(type)}`
    return [invalidValue(path, expression, text)]
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error
    return [invalidValue(path, expression, error.told)]
  }
}

/** Parameters for a driver, which nobody else understands. */
export function configurationFaults(path: string, { opaque }: Configuration): Fault[] {
  const at = `${path}.opaque`
  if (!opaque) return [required(at)]
  const faults = driverFaults(`${at}.driver`, opaque.driver)
  const { parameters } = opaque
  if (parameters === undefined || parameters === null) return [...faults, required(`${at}.parameters`)]
  const bytes = byteLength(JSON.stringify(parameters))
  return bytes > most.parameterBytes ? [...faults, tooLong(`${at}.parameters`, most.parameterBytes)] : faults
}

export function tolerationFaults(path: string, toleration: Toleration): Fault[] {
  const { key, operator = '', value = '', effect } = toleration
  const faults = key ? checked(`${path}.key`, key, qualifiedName) : []
  if (operator === 'Exists') {
    if (value) faults.push(invalidValue(`${path}.value`, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') faults.push(...checked(`${path}.value`, value, labelText))
  else if (operator === '') faults.push(required(`${path}.operator`))
  else faults.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  const effects = ['NoExecute', 'NoSchedule']
  if (effect && !effects.includes(effect)) faults.push(notSupported(`${path}.effect`, effect, effects))
  return faults
}

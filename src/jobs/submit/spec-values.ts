import { UserError } from '../../errors.ts'
import {
  labelValueFaults,
  parseDurationMs,
  parseQuantity,
  QuantityError,
  qualifiedNameFaults,
  type Toleration,
} from '../../kube/index.ts'
import type { FlagValues, Mount } from './spec.ts'

function fault(flag: string, value: string, what: string, hint?: string): UserError {
  return new UserError(
    'USAGE',
    `flag --${flag} has the value "${value}", ${what}`,
    hint === undefined ? {} : { hint },
  )
}

/** The value of a flag that has choices. */
export function oneOf<T extends string>(
  flags: FlagValues,
  flag: string,
  choices: readonly T[],
  fallback: T,
): T {
  const value = flags.text(flag) || fallback
  const choice = choices.find((each) => each === value)
  if (choice === undefined)
    throw fault(flag, value, 'which is none of its choices', `use one of: ${choices.join(', ')}`)
  return choice
}

/** `a,b` as a list. */
export function commaList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A quantity, checked; nothing when the flag is empty. */
export function quantity(flags: FlagValues, flag: string): string | undefined {
  const value = flags.text(flag) ?? ''
  if (value === '') return undefined
  checkQuantity(flag, value)
  return value
}

function checkQuantity(flag: string, value: string): void {
  try {
    if (parseQuantity(value).nanos >= 0n) return
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error
  }
  throw fault(flag, value, 'which is no amount', 'write amounts as 2, 500m, 10Gi or 512Mi')
}

/** A duration such as `1h30m`, in whole seconds rounded up; 0 when the flag is empty. */
export function durationSeconds(flags: FlagValues, flag: string): number {
  const value = flags.text(flag) ?? ''
  if (value === '') return 0
  const milliseconds = parseDurationMs(value)
  if (milliseconds === undefined || milliseconds < 0) {
    throw fault(flag, value, 'which is no duration', 'write durations as 90s, 30m or 1h30m')
  }
  return Math.ceil(milliseconds / 1000)
}

type Checks = 'environment' | 'labels' | 'annotations' | 'devices'

/** Repeated `key=value` flags; of a key given twice the last one counts. */
export function keyValues(
  flags: FlagValues,
  flag: string,
  options: { checks: Checks },
): Record<string, string> {
  const values: Record<string, string> = {}
  for (const item of flags.texts(flag)) {
    const equals = item.indexOf('=')
    if (equals <= 0) throw fault(flag, item, 'which is not of the form key=value')
    const key = item.slice(0, equals).trim()
    const value = item.slice(equals + 1)
    const wrong = faultsOf(flag, key, value, options.checks)
    if (wrong !== undefined) throw fault(flag, item, wrong)
    // `__proto__` is a possible name and must become a field like any other.
    Object.defineProperty(values, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return values
}

function faultsOf(flag: string, key: string, value: string, checks: Checks): string | undefined {
  if (checks === 'environment') {
    return /^[^=\0]+$/.test(key) ? undefined : 'whose name no environment variable can have'
  }
  const [faultOfKey] = qualifiedNameFaults(key)
  if (faultOfKey !== undefined) return `whose key cannot be used: ${faultOfKey}`
  if (checks === 'labels') {
    const [faultOfValue] = labelValueFaults(value)
    if (faultOfValue !== undefined) return `whose value cannot be used: ${faultOfValue}`
  }
  if (checks === 'devices') {
    if (key === 'nvidia.com/gpu') return 'but GPUs are asked for with --gpus'
    checkQuantity(flag, value)
  }
  return undefined
}

/** Repeated `source:/path` flags. Without a path the source's own path is used, where that is allowed. */
export function mounts(flags: FlagValues, flag: string, options: { mustHavePath: boolean }): Mount[] {
  const found: Mount[] = []
  for (const item of flags.texts(flag)) {
    const parts = item.split(':')
    const [source = '', path = ''] = parts
    if (parts.length > 2 || source === '' || (options.mustHavePath && parts.length !== 2)) {
      throw fault(flag, item, 'which is not of the form SOURCE:PATH', `as in: --${flag} NAME:/data`)
    }
    const target = parts.length === 2 ? path : source
    const isLocalFile = flag === 'config-file'
    if ((parts.length === 2 || !isLocalFile) && (!target.startsWith('/') || target === '/')) {
      throw fault(flag, item, `whose path "${target}" is not an absolute path below /`)
    }
    if (options.mustHavePath && found.some((mount) => mount.source === source)) {
      throw fault(flag, item, `but "${source}" is mounted already`, 'mount each volume once')
    }
    found.push({ source, path: target })
  }
  return found
}

const effects = new Set(['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'])

/** `all`, or `key=value:effect,operator` with everything after the key optional. */
export function tolerations(flags: FlagValues): Toleration[] {
  return flags.texts('toleration').map((item) => {
    if (item === 'all') return { operator: 'Exists' }
    const [, key, value, effect = '', operator] =
      /^([^=:,]+)(?:=([^:,]*))?(?::([A-Za-z]*))?(?:,(Exists|Equal))?$/.exec(item) ?? []
    if (key === undefined || !effects.has(effect)) {
      throw fault('toleration', item, 'which is no toleration', 'as in: gpu=true:NoSchedule,Equal or all')
    }
    const isExists = operator === 'Exists' || (operator === undefined && value === undefined)
    return {
      key,
      operator: isExists ? 'Exists' : 'Equal',
      ...(!isExists && { value: value ?? '' }),
      ...(effect !== '' && { effect }),
    }
  })
}

import type { LimitRange, LimitRangeItem } from 'kubernetes-types/core/v1.js'
import { compareQuantities, quantityToMilli } from '../../../kube/index.ts'
import { duplicate, type Fault, forbiddenField, invalidValue, required } from '../faults.ts'
import { qualifiedName } from '../validation/names.ts'
import { isOvercommitAllowed, limitResourceName } from '../validation/quantities.ts'
import { plainColumns } from './columns.ts'
import { define } from './define.ts'

type Bound = 'min' | 'max' | 'default' | 'defaultRequest'
type Bounds = Partial<Record<Bound, Record<string, string>>>

const standardTypes = new Set(['Pod', 'Container', 'PersistentVolumeClaim'])

export const limitRanges = define<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  createsOnUpdate: true,
  namespaced: true,
  shortNames: ['limits'],
  setDefaults(object) {
    object.spec ??= { limits: [] }
    for (const item of object.spec.limits ?? []) if (item.type === 'Container') fillIn(item)
  },
  validate(object) {
    const faults: Fault[] = []
    const types = new Set<string>()
    for (const [index, item] of (object.spec?.limits ?? []).entries()) {
      const path = `spec.limits[${index}]`
      faults.push(...typeFaults(`${path}.type`, item.type))
      if (types.has(item.type)) faults.push(duplicate(`${path}.type`, item.type))
      types.add(item.type)
      faults.push(...itemFaults(path, item))
    }
    return faults
  },
  columns: plainColumns,
})

/** A missing default limit is the maximum; a missing default request the default limit, or else the minimum. */
function fillIn(item: LimitRangeItem): void {
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  if (Object.keys(limits).length > 0) item.default = limits
  if (Object.keys(requests).length > 0) item.defaultRequest = requests
}

function typeFaults(path: string, type: string): Fault[] {
  const faults = qualifiedName(type ?? '').map((text) => invalidValue(path, type ?? '', text))
  if (faults.length === 0 && !type.includes('/') && !standardTypes.has(type)) {
    faults.push(invalidValue(path, type, 'must be a standard limit type or fully qualified'))
  }
  return faults
}

function itemFaults(path: string, item: LimitRangeItem): Fault[] {
  const faults: Fault[] = []
  const isPod = item.type === 'Pod'
  for (const bound of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const) {
    if (isPod && (bound === 'default' || bound === 'defaultRequest')) {
      if (Object.keys(item[bound] ?? {}).length > 0) {
        faults.push(forbiddenField(`${path}.${bound}`, "may not be specified when `type` is 'Pod'"))
      }
      continue
    }
    for (const name in item[bound]) {
      faults.push(...limitResourceName(item.type, name, `${path}.${bound}[${name}]`))
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage']) {
    faults.push(
      required(
        `${path}.limits`,
        'either minimum or maximum storage value is required, but neither was provided',
      ),
    )
  }
  const bounds: Bounds = isPod ? { min: item.min ?? {}, max: item.max ?? {} } : (item as Bounds)
  const names = new Set(
    [item.max, item.min, bounds.default, bounds.defaultRequest, item.maxLimitRequestRatio].flatMap(
      (amounts) => Object.keys(amounts ?? {}),
    ),
  )
  for (const name of names) {
    faults.push(...orderFaults(path, name, bounds), ...ratioFaults(path, name, item))
  }
  return faults
}

/** Which bound must not exceed which, where the fault is noted, which value it shows, and how it is put. */
const orders = [
  ['min', 'max', 'min', 'min', 'min', 'max'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest', 'min', 'default request'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest', 'default request', 'max'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest', 'default request', 'default limit'],
  ['min', 'default', 'default', 'min', 'min', 'default'],
  ['default', 'max', 'default', 'max', 'default', 'max'],
] as const

function orderFaults(path: string, name: string, bounds: Bounds): Fault[] {
  const faults: Fault[] = []
  for (const [low, high, at, shown, lowText, highText] of orders) {
    const [less, more] = [bounds[low]?.[name], bounds[high]?.[name]]
    if (less === undefined || more === undefined || compareQuantities(less, more) <= 0) continue
    faults.push(
      invalidValue(
        `${path}.${at}[${name}]`,
        bounds[shown]?.[name],
        `${lowText} value ${less} is greater than ${highText} value ${more}`,
      ),
    )
  }
  const [limit, request] = [bounds.default?.[name], bounds.defaultRequest?.[name]]
  if (limit && request && !isOvercommitAllowed(name) && compareQuantities(limit, request) !== 0) {
    faults.push(
      invalidValue(
        `${path}.defaultRequest[${name}]`,
        request,
        `default value ${limit} must equal to defaultRequest value ${request} in ${name}`,
      ),
    )
  }
  return faults
}

function ratioFaults(path: string, name: string, item: LimitRangeItem): Fault[] {
  const ratio = item.maxLimitRequestRatio?.[name]
  if (ratio === undefined) return []
  const at = `${path}.maxLimitRequestRatio[${name}]`
  const faults: Fault[] = []
  if (compareQuantities(ratio, '1') < 0) {
    faults.push(invalidValue(at, ratio, `ratio ${ratio} is less than 1`))
  }
  const [min, max] = [item.min?.[name], item.max?.[name]]
  if (min !== undefined && max !== undefined) {
    const most = quantityToMilli(max) / quantityToMilli(min)
    if (quantityToMilli(ratio) / 1000 > most) {
      faults.push(invalidValue(at, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`))
    }
  }
  return faults
}

import { compareQuantities, parseQuantity, type Quantity } from '../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue, required } from '../faults.ts'
import { qualifiedName } from './names.ts'

const compute = ['cpu', 'memory', 'ephemeral-storage']
const objects = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const charged = [
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'requests.storage',
]
const containerNames = new Set(compute)
const standardNames = new Set([...compute, ...charged, ...objects, 'storage'])
const quotaNames = new Set([...compute, ...charged, ...objects])
const wholeNames = new Set(objects)

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isQuotaHugePages = (name: string): boolean =>
  name.startsWith('hugepages-') || name.startsWith('requests.hugepages-')

/** Resources of Kubernetes itself: without a domain, or of its own. */
function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/')
}

/** Resources of vendors, such as `nvidia.com/gpu`: whole numbers, request and limit alike. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false
  return qualifiedName(`requests.${name}`).length === 0
}

/** May requests of this resource be lower than its limits? */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name)
}

export function isQuotaResource(name: string): boolean {
  return quotaNames.has(name) || isQuotaHugePages(name)
}

function resourceName(name: string, path: string): Fault[] {
  const faults = qualifiedName(name).map((text) => invalidValue(path, name, text))
  if (faults.length > 0 || name.includes('/')) return faults
  const isKnown = standardNames.has(name) || isQuotaHugePages(name)
  return isKnown ? [] : [invalidValue(path, name, 'must be a standard resource type or fully qualified')]
}

/** What a container may ask for. */
function containerResourceName(name: string, path: string): Fault[] {
  const faults = resourceName(name, path)
  if (!name.includes('/')) {
    if (!containerNames.has(name) && !isHugePages(name)) {
      faults.push(invalidValue(path, name, 'must be a standard resource for containers'))
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    faults.push(invalidValue(path, name, "doesn't follow extended resource name standard"))
  }
  return faults
}

/** What a quota may limit. */
export function quotaResourceName(name: string, path: string): Fault[] {
  const faults = resourceName(name, path)
  if (!name.includes('/') && !isQuotaResource(name)) {
    faults.push(invalidValue(path, name, 'must be a standard resource for quota'))
  }
  return faults
}

/** What a limit range may bound; other types than pods and containers may name storage. */
export function limitResourceName(type: string, name: string, path: string): Fault[] {
  return type === 'Pod' || type === 'Container' ? containerResourceName(name, path) : resourceName(name, path)
}

/** Not negative, and whole where only whole things exist. */
export function resourceQuantity(name: string, value: string, path: string): Fault[] {
  const faults: Fault[] = []
  const { nanos } = parseQuantity(value)
  if (nanos < 0n) faults.push(invalidValue(path, value, 'must be greater than or equal to 0'))
  if ((wholeNames.has(name) || isExtendedResource(name)) && nanos % 1_000_000_000n !== 0n) {
    faults.push(invalidValue(path, value, 'must be an integer'))
  }
  return faults
}

export function positiveQuantity(value: string, path: string): Fault[] {
  return parseQuantity(value).nanos <= 0n ? [invalidValue(path, value, 'must be greater than zero')] : []
}

interface Requirements {
  limits?: Record<string, string>
  requests?: Record<string, string>
}

/** Limits and requests of a container. */
export function validateRequirements(
  path: string,
  requirements: Requirements | undefined,
  nameRule: (name: string, path: string) => Fault[] = containerResourceName,
): Fault[] {
  const { limits, requests } = requirements ?? {}
  if (limits === undefined && requests === undefined) return []
  const faults: Fault[] = []
  for (const name in limits) {
    const at = `${path}.limits[${name}]`
    faults.push(...nameRule(name, at), ...amountFaults(name, limits[name] ?? '0', at))
  }
  for (const name in requests) {
    const at = `${path}.requests[${name}]`
    const request = requests[name] ?? '0'
    const limit = limits?.[name]
    faults.push(...nameRule(name, at), ...amountFaults(name, request, at))
    if (limit === undefined) {
      if (!isOvercommitAllowed(name)) {
        faults.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
      }
      continue
    }
    const order = compareQuantities(request, limit)
    if (order !== 0 && !isOvercommitAllowed(name)) {
      faults.push(invalidValue(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`))
    } else if (order > 0) {
      faults.push(
        invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`),
      )
    }
  }
  const names = [...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    faults.push(forbiddenField(path, 'HugePages require cpu or memory'))
  }
  return faults
}

function amountFaults(name: string, value: string, path: string): Fault[] {
  const faults = resourceQuantity(name, value, path)
  if (isHugePages(name) && !isMultiple(parseQuantity(value), name.slice('hugepages-'.length))) {
    faults.push(invalidValue(path, value, `${value} is not positive integer multiple of ${name}`))
  }
  return faults
}

function isMultiple(value: Quantity, page: string): boolean {
  if (!/^\d+(Ki|Mi|Gi|Ti)?$/.test(page)) return true
  const size = parseQuantity(page).nanos
  return size > 0n && value.nanos > 0n && value.nanos % size === 0n
}

import type { Container } from 'kubernetes-types/core/v1.js'
import { compareQuantities, formatQuantity, parseQuantity, podRequests } from '../../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue, notSupported } from '../../faults.ts'
import { checked } from '../checks.ts'
import { qualifiedName } from '../names.ts'
import { isHugePages, validateRequirements } from '../quantities.ts'

/** Requests and limits of a pod as a whole. */
interface PodRequirements {
  requests?: Record<string, string>
  limits?: Record<string, string>
  claims?: unknown[]
}

interface Spec {
  containers?: Container[]
  initContainers?: Container[]
  resources?: PodRequirements
}

/** Amounts for the pod as a whole must have room for those of its containers. */
export function validatePodResources(path: string, spec: Spec): Fault[] {
  const { resources } = spec
  if (!resources) return []
  const faults: Fault[] = []
  if (resources.claims) {
    faults.push(forbiddenField(`${path}.claims`, 'claims cannot be set for Resources at pod-level'))
  }
  faults.push(...validateRequirements(path, resources, podResourceName))
  const { containers = [], initContainers = [] } = spec
  const needed = podRequests({ spec: { containers, initContainers } })
  for (const [name, amount] of Object.entries(needed)) {
    const given = resources.requests?.[name] ?? '0'
    if (compareQuantities(amount, parseQuantity(given)) <= 0) continue
    faults.push(
      invalidValue(
        `${path}.requests[${name}]`,
        given,
        `must be greater than or equal to aggregate container requests of ${formatQuantity(amount)}`,
      ),
    )
  }
  for (const [index, container] of containers.entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const most = resources.limits?.[name]
      if (most === undefined || compareQuantities(limit, most) <= 0) continue
      faults.push(
        invalidValue(
          `${path}.containers[${index}][${name}].limits`,
          limit,
          `must be less than or equal to pod limits of ${most}`,
        ),
      )
    }
  }
  return faults
}

function podResourceName(name: string, path: string): Fault[] {
  const faults = checked(path, name, qualifiedName)
  if (faults.length > 0) return faults
  const isKnown = name === 'cpu' || name === 'memory' || isHugePages(name)
  return isKnown ? [] : [notSupported(path, name, ['cpu', 'hugepages-', 'memory'])]
}

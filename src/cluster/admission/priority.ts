import type { Admission, Admitter } from '../registry/index.ts'
import type { Pod, PriorityClass } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { podOf } from './pod.ts'
import { refused, resourceOf } from './refusal.ts'

const classes = 'scheduling.k8s.io/priorityclasses'

interface Resolved {
  readonly name: string
  readonly value: number
  readonly preemptionPolicy: string | undefined
}

// These exist in every cluster, even while their objects are not there yet.
const systemClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

/** Turns the name of a priority class into the number that the scheduler compares. */
export function priority({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  function defaultClass(): PriorityClass | undefined {
    if (reader.count(classes) === 0) return undefined
    let found: PriorityClass | undefined
    for (const object of reader.list(classes)) {
      const one = asClass(object)
      if (one.globalDefault && (found === undefined || one.value < found.value)) found = one
    }
    return found
  }

  function resolve(admission: Admission, name: string | undefined): Resolved {
    if (!name) {
      const fallback = defaultClass()
      return fallback === undefined
        ? { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' }
        : { name: fallback.metadata?.name ?? '', value: fallback.value, preemptionPolicy: policyOf(fallback) }
    }
    const object = reader.get(classes, undefined, name)
    if (object !== undefined) {
      const found = asClass(object)
      return { name, value: found.value, preemptionPolicy: policyOf(found) }
    }
    const value = Object.hasOwn(systemClasses, name) ? systemClasses[name] : undefined
    if (value === undefined) throw refused(admission, `no PriorityClass with name ${name} was found`)
    return { name, value, preemptionPolicy: 'PreemptLowerPriority' }
  }

  function admitNew(admission: Admission, spec: NonNullable<Pod['spec']>): void {
    const { name, value, preemptionPolicy } = resolve(admission, spec.priorityClassName)
    if (spec.priority !== undefined && spec.priority !== value) {
      throw refused(
        admission,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    }
    if (
      spec.preemptionPolicy !== undefined &&
      preemptionPolicy !== undefined &&
      spec.preemptionPolicy !== preemptionPolicy
    ) {
      throw refused(
        admission,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
      )
    }
    spec.priority = value
    if (name) spec.priorityClassName = name
    if (preemptionPolicy !== undefined) spec.preemptionPolicy = preemptionPolicy
  }

  return {
    name: 'Priority',
    mutate(admission: Admission): void {
      const spec = podOf(admission)?.spec
      if (spec === undefined) return
      if (admission.operation === 'CREATE') return admitNew(admission, spec)
      if (admission.operation !== 'UPDATE' || admission.oldObject === undefined) return
      const before = (admission.oldObject as Pod).spec
      // Clients older than these fields leave them out; that is no wish to clear them.
      if (spec.priority === undefined && before?.priority !== undefined) spec.priority = before.priority
      if (spec.preemptionPolicy === undefined && before?.preemptionPolicy !== undefined) {
        spec.preemptionPolicy = before.preemptionPolicy
      }
    },
    validate(admission: Admission): void {
      const { operation, object, request } = admission
      if (resourceOf(admission) !== classes || request.subresource !== undefined) return
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || object === undefined) return
      if (!asClass(object).globalDefault) return
      const other = defaultClass()
      if (other === undefined) return
      if (operation === 'CREATE' || other.metadata?.name !== object.metadata.name) {
        throw refused(
          admission,
          `PriorityClass ${other.metadata?.name ?? ''} is already marked as default. Only one default can exist`,
        )
      }
    },
  }
}

function asClass(object: object): PriorityClass {
  return object as PriorityClass
}

function policyOf(one: PriorityClass): string | undefined {
  return one.preemptionPolicy
}

import type { PriorityClass } from 'kubernetes-types/scheduling/v1.js'
import { forbidden } from '../../../kube/index.ts'
import { type Fault, forbiddenField } from '../faults.ts'
import { optionalChoice } from '../validation/checks.ts'
import { immutableField } from '../validation/metadata.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define, type Of } from './define.ts'

const mostOfUsers = 1_000_000_000
/** The classes of the system itself, which have fixed values. */
const systemClasses: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

export const priorityClasses = define<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  namespaced: false,
  shortNames: ['pc'],
  setDefaults(object) {
    object.preemptionPolicy ??= 'PreemptLowerPriority'
    object.value ??= 0
  },
  prepareForCreate({ metadata }) {
    // It stays so: Kubernetes counts no changes of classes.
    metadata.generation = 1
  },
  validate: (object) => [
    ...valueFaults(object),
    ...optionalChoice('preemptionPolicy', object.preemptionPolicy, ['PreemptLowerPriority', 'Never']),
  ],
  validateUpdate: (object, old) => [
    ...(object.value === old.value ? [] : [forbiddenField('value', 'may not be changed in an update.')]),
    ...immutableField('preemptionPolicy', object.preemptionPolicy, old.preemptionPolicy),
  ],
  checkDelete({ metadata: { name = '' } }) {
    if (Object.hasOwn(systemClasses, name))
      throw forbidden(
        { kind: 'priorityclasses', group: 'scheduling.k8s.io', name },
        'this is a system priority class and cannot be deleted',
      )
  },
  columns: [
    nameColumn,
    column(
      'Value',
      'value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec.',
      (object) => object.value,
      'integer',
    ),
    column(
      'Global-Default',
      'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value of such global default PriorityClasses will be used as the default priority.',
      (object) => object.globalDefault ?? false,
      'boolean',
    ),
    ageColumn,
    column(
      'PreemptionPolicy',
      'preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, PreemptLowerPriority. Defaults to PreemptLowerPriority if unset.',
      (object) => object.preemptionPolicy ?? '',
    ),
  ],
})

function valueFaults({ metadata, value, globalDefault }: Of<PriorityClass>): Fault[] {
  const name = metadata.name ?? ''
  if (!name.startsWith('system-')) {
    return value > mostOfUsers
      ? [forbiddenField('value', `maximum allowed value of a user defined priority is ${mostOfUsers}`)]
      : []
  }
  const fixed = systemClasses[name]
  let why: string | undefined
  if (fixed === undefined) why = `${name} is not a known system priority class`
  else if (value !== fixed) why = `value of ${name} PriorityClass must be ${fixed}`
  else if (globalDefault) why = `globalDefault of ${name} PriorityClass must be false`
  if (why === undefined) return []
  return [
    forbiddenField(
      'metadata.name',
      `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
    ),
  ]
}

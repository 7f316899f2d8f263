import type { RuntimeClass } from 'kubernetes-types/node/v1.js'
import { checked } from '../validation/checks.ts'
import { immutableField, validateLabels } from '../validation/metadata.ts'
import { dnsLabel } from '../validation/names.ts'
import { validateTolerations } from '../validation/pod/scheduling.ts'
import { validateRequirements } from '../validation/quantities.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

export const runtimeClasses = define<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  createsOnUpdate: true,
  updateNeedsVersion: true,
  validate: ({ handler = '', overhead, scheduling }) => [
    ...checked('handler', handler, dnsLabel),
    ...(overhead ? validateRequirements('overhead', { limits: overhead.podFixed ?? {} }) : []),
    ...validateLabels(scheduling?.nodeSelector ?? {}, 'scheduling.nodeSelector'),
    ...validateTolerations('scheduling.tolerations', scheduling?.tolerations ?? []),
  ],
  validateUpdate: (object, old) => immutableField('handler', object.handler, old.handler),
  columns: [
    nameColumn,
    column(
      'Handler',
      'handler specifies the underlying runtime and configuration that the CRI implementation will use to handle pods of this class. It is immutable.',
      ({ handler }) => handler,
    ),
    ageColumn,
  ],
})

import type { Event } from 'kubernetes-types/events/v1.js'
import type { KubeObject } from '../../../kube/index.ts'
import { type Fault, invalidValue, required } from '../faults.ts'
import { immutableField } from '../validation/metadata.ts'
import { define, type Of, storageVersionHash } from './define.ts'
import { eventColumns, eventFaults, fillEvent, type StoredEvent } from './event.ts'

/** Names in `events.k8s.io` and the ones under which the same fields are stored. */
const renamed = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} as const

/** Events as `events.k8s.io` has them: the same objects as those of the core group. */
export const reportedEvents = define<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  createsOnUpdate: true,
  namespaced: true,
  shortNames: ['ev'],
  storedAs: '/events',
  storageVersionHash: storageVersionHash('', 'v1', 'Event'),
  convert: { fromStored, toStored },
  setDefaults(object) {
    const open: Record<string, unknown> = object
    for (const time of ['eventTime', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp']) {
      open[time] ??= null
    }
    object.regarding ??= {}
    object.deprecatedSource ??= {}
  },
  validate(object, request) {
    const event = storedForm(object)
    const faults = eventFaults(event)
    if (request.verb !== 'create') return faults
    faults.push(...seriesFaults(object))
    if (!object.eventTime) faults.push(required('eventTime'))
    if (object.type !== 'Normal' && object.type !== 'Warning') {
      faults.push(invalidValue('type', '', `has invalid value: ${object.type ?? ''}`))
    }
    // The older way of counting is for those who write to the core group.
    if (event.firstTimestamp) faults.push(invalidValue('firstTimestamp', '', 'needs to be unset'))
    if (event.lastTimestamp) faults.push(invalidValue('lastTimestamp', '', 'needs to be unset'))
    if (event.count) faults.push(invalidValue('count', '', 'needs to be unset'))
    if (event.source?.component || event.source?.host) {
      faults.push(invalidValue('source', '', 'needs to be unset'))
    }
    return faults
  },
  validateUpdate(object, old) {
    const [event, before] = [storedForm(object), storedForm(old)]
    return [
      ...seriesFaults(object),
      ...(
        [
          'involvedObject',
          'reason',
          'message',
          'source',
          'firstTimestamp',
          'lastTimestamp',
          'count',
          'type',
          'eventTime',
          'action',
          'related',
          'reportingInstance',
        ] as const
      ).flatMap((field) => immutableField(field, event[field], before[field])),
      ...immutableField('reportingController', event.reportingComponent, before.reportingComponent),
    ]
  },
  selectableFields: {
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  columns: eventColumns().map((column) => ({
    ...column,
    cell: (object: Of<Event>, now: number) => column.cell(storedForm(object), now),
  })),
})

function seriesFaults({ series }: Of<Event>): Fault[] {
  if (!series) return []
  const faults: Fault[] = []
  if (series.count < 2) faults.push(invalidValue('series.count', '', 'should be at least 2'))
  if (!series.lastObservedTime) faults.push(required('series.lastObservedTime'))
  return faults
}

function storedForm(object: Of<Event>): StoredEvent {
  const event: unknown = toStored(object as unknown as KubeObject)
  return event as StoredEvent
}

function toStored(object: KubeObject): KubeObject {
  const stored = rename(object, Object.entries(renamed))
  fillEvent(stored as unknown as StoredEvent)
  return stored
}

function fromStored(object: KubeObject): KubeObject {
  return rename(
    object,
    Object.entries(renamed).map(([name, core]): [string, string] => [core, name]),
  )
}

function rename(object: KubeObject, pairs: readonly (readonly [string, string])[]): KubeObject {
  const names = new Map(pairs)
  const entries = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value])
  return { ...Object.fromEntries(entries), metadata: object.metadata }
}

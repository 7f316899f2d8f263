import type { Event } from 'kubernetes-types/core/v1.js'
import { type Fault, invalidValue, required } from '../faults.ts'
import { checked } from '../validation/checks.ts'
import { byteLength, dnsSubdomain, qualifiedName } from '../validation/names.ts'
import { column, nameColumn, since, wideColumn } from './columns.ts'
import { type ColumnOf, define, type Of } from './define.ts'

/** Events as they are stored; fields that Go always writes may be null here. */
export type StoredEvent = Of<Event>

export const events = define<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  createsOnUpdate: true,
  namespaced: true,
  shortNames: ['ev'],
  setDefaults: fillEvent,
  validate: eventFaults,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || reportingComponent || '',
    type: ({ type }) => type ?? '',
  },
  columns: eventColumns(),
})

/** Times and names of sources that stand in every event, known or not. */
export function fillEvent(event: StoredEvent): void {
  const open: Record<string, unknown> = event
  for (const time of ['eventTime', 'firstTimestamp', 'lastTimestamp']) open[time] ??= null
  event.involvedObject ??= {}
  event.source ??= {}
  event.reportingComponent ??= ''
  event.reportingInstance ??= ''
}

/** What holds for events however they are written. */
export function eventFaults(event: StoredEvent): Fault[] {
  const namespace = event.metadata.namespace ?? ''
  const about = event.involvedObject?.namespace ?? ''
  const faults: Fault[] = []
  const mismatch = (): void => {
    faults.push(invalidValue('involvedObject.namespace', about, 'does not match event.namespace'))
  }
  if (!event.eventTime) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : about !== namespace) mismatch()
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch()
    faults.push(...reporterFaults(event))
  }
  faults.push(...checked('namespace', namespace, dnsSubdomain))
  return faults
}

function reporterFaults(event: StoredEvent): Fault[] {
  const { reportingComponent = '', reportingInstance = '', action = '', reason = '' } = event
  const faults: Fault[] = []
  if (reportingComponent === '') faults.push(required('reportingController'))
  faults.push(...checked('reportingController', reportingComponent, qualifiedName))
  for (const [field, value] of Object.entries({ reportingInstance, action, reason })) {
    if (value === '') faults.push(required(field))
    if (byteLength(value) > 128) {
      faults.push(invalidValue(field, '', 'can have at most 128 characters'))
    }
  }
  if (byteLength(event.message ?? '') > 1024) {
    faults.push(invalidValue('message', '', 'can have at most 1024 characters'))
  }
  return faults
}

/** Columns of events, whichever API they are asked from. */
export function eventColumns(): ColumnOf<Event>[] {
  return [
    column('Last Seen', 'The time at which the most recent occurrence of this event was recorded.', lastSeen),
    column(
      'Type',
      'Type of this event (Normal, Warning), new types could be added in the future',
      ({ type }) => type ?? '',
    ),
    column(
      'Reason',
      "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
      ({ reason }) => reason ?? '',
    ),
    column('Object', 'The object that this event is about.', ({ involvedObject }) => {
      const { kind = '', name } = involvedObject ?? {}
      return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()
    }),
    wideColumn(
      'Subobject',
      'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: "spec.containers{name}" (where "name" refers to the name of the container that triggered the event) or if no container name is specified "spec.containers[2]" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object.',
      ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    ),
    wideColumn(
      'Source',
      'The component reporting this event. Should be a short machine understandable string.',
      ({ source, reportingComponent, reportingInstance }) => {
        const component = source?.component || reportingComponent || ''
        const host = source?.host || reportingInstance
        return host ? `${component}, ${host}` : component
      },
    ),
    column('Message', 'A human-readable description of the status of this operation.', ({ message }) =>
      (message ?? '').trim(),
    ),
    wideColumn(
      'First Seen',
      'The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)',
      firstSeen,
    ),
    wideColumn('Count', 'The number of times this event has occurred.', ({ count, series }) => {
      return series?.count ?? (count || 1)
    }),
    { ...nameColumn, priority: 1 },
  ]
}

function firstSeen(event: StoredEvent, now: number): string {
  return since(event.firstTimestamp || event.eventTime, now)
}

function lastSeen(event: StoredEvent, now: number): string {
  if (event.series) return since(event.series.lastObservedTime, now)
  return event.lastTimestamp ? since(event.lastTimestamp, now) : firstSeen(event, now)
}

import { beforeEach, describe, expect, it } from 'vitest'
import { applyPatch, parsePatch, updateManagedFields } from '../../../../src/cluster/registry/patch/index.ts'
import { schemaFor } from '../../../../src/cluster/registry/schema/builtin.ts'
import {
  type JsonObject,
  type KubeObject,
  type ManagedFieldsEntry,
  StatusError,
} from '../../../../src/kube/index.ts'

const resource = (kind: string, hasStatus: boolean, group = '') => ({
  group,
  version: 'v1',
  kind,
  schema: schemaFor(group, 'v1', kind),
  hasStatus,
})
const configMaps = resource('ConfigMap', false)
const services = resource('Service', true)
const pods = resource('Pod', true)
type Resource = typeof configMaps

let now = Date.parse('2026-01-01T00:00:00Z')

function apply(
  to: Resource,
  live: KubeObject | undefined,
  config: JsonObject,
  how: { manager: string; force?: boolean; subresource?: string },
): KubeObject {
  now += 10
  return applyPatch({ is: 'apply', value: structuredClone(config), faults: [] }, structuredClone(live), {
    resource: to,
    validation: 'Strict',
    now,
    ...how,
  }).object
}

function mergePatch(
  to: Resource,
  live: KubeObject,
  patch: JsonObject,
  manager: string,
  subresource?: string,
): KubeObject {
  now += 10
  const writing = { resource: to, manager, now, ...(subresource && { subresource }) }
  const { object } = applyPatch({ is: 'merge', value: patch, faults: [] }, structuredClone(live), {
    ...writing,
    validation: 'Strict',
  })
  updateManagedFields(object, live, writing)
  return object
}

function create(to: Resource, object: JsonObject, manager: string): KubeObject {
  now += 10
  const made = { metadata: {}, ...structuredClone(object) } as KubeObject
  updateManagedFields(made, undefined, { resource: to, manager, now })
  made.metadata.uid = 'u'
  return made
}

/** Who owns what, without the parts that do not vary here. */
function owners(object: KubeObject): unknown[] {
  return (object.metadata.managedFields ?? []).map(({ manager, operation, fieldsV1, subresource }) => [
    manager,
    operation,
    fieldsV1,
    ...(subresource ? [subresource] : []),
  ])
}

function refusal(action: () => unknown): { message: string; code: number; fields: string[] } {
  try {
    action()
  } catch (error) {
    if (error instanceof StatusError)
      return {
        message: error.message,
        code: error.code,
        fields: (error.status.details?.causes ?? []).map(({ field }) => field ?? ''),
      }
    throw error
  }
  throw new Error('nothing was refused')
}

const config = (data: JsonObject | undefined, name = 'ssa'): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...(data && { data }),
})

describe('applying a config map', () => {
  let one: KubeObject
  let both: KubeObject
  beforeEach(() => {
    one = apply(configMaps, undefined, config({ a: '1', b: '2' }), { manager: 'one' })
    both = apply(configMaps, one, config({ c: '3' }), { manager: 'two' })
  })

  it('creates with the fields of the applier', () => {
    expect(one).toEqual({
      ...config({ a: '1', b: '2' }),
      metadata: {
        name: 'ssa',
        managedFields: [
          {
            manager: 'one',
            operation: 'Apply',
            apiVersion: 'v1',
            time: expect.stringMatching(/Z$/) as string,
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } },
          } satisfies ManagedFieldsEntry,
        ],
      },
    })
  })

  it('changes nothing, not even the time, when applied again', () => {
    expect(apply(configMaps, one, config({ a: '1', b: '2' }), { manager: 'one' })).toEqual(one)
  })

  it('takes the nulls of generated manifests for nothing', () => {
    const generated = { ...config({ a: '1' }), metadata: { name: 'ssa', creationTimestamp: null } }
    const made = apply(configMaps, undefined, generated, { manager: 'one' })
    made.metadata.creationTimestamp = '2026-01-01T00:00:00Z'
    now += 60_000
    expect(apply(configMaps, made, generated, { manager: 'one' })).toEqual(made)
  })

  it('keeps the time too when a value means the same as its absence', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { hostNetwork: false, nodeName: 'n' },
    }
    const made = apply(pods, undefined, pod, { manager: 'one' })
    now += 60_000
    expect(apply(pods, made, pod, { manager: 'one' })).toEqual(made)
  })

  it('adds the fields of another manager', () => {
    expect(both['data']).toEqual({ a: '1', b: '2', c: '3' })
    expect(owners(both)).toEqual([
      ['one', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } }],
      ['two', 'Apply', { 'f:data': { 'f:c': {} } }],
    ])
  })

  it('refuses to change what another manager owns', () => {
    expect(refusal(() => apply(configMaps, both, config({ a: '9', c: '3' }), { manager: 'two' }))).toEqual({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
      fields: ['.data.a'],
    })
    expect(
      refusal(() => apply(configMaps, both, config({ a: '9', b: '8' }), { manager: 'two' })).message,
    ).toBe('Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b')
  })

  it('takes over by force, shares equal values, and removes a field when its last owner lets go', () => {
    const forced = apply(configMaps, both, config({ a: '9', c: '3' }), { manager: 'two', force: true })
    expect(owners(forced)).toEqual([
      ['one', 'Apply', { 'f:data': { 'f:b': {} } }],
      ['two', 'Apply', { 'f:data': { 'f:a': {}, 'f:c': {} } }],
    ])
    const dropped = apply(configMaps, forced, config({ a: '9' }), { manager: 'one' })
    expect(dropped['data']).toEqual({ a: '9', c: '3' })
    const released = apply(configMaps, dropped, config({}), { manager: 'one' })
    expect(released['data']).toEqual({ a: '9', c: '3' })
    expect(owners(released)).toEqual([
      ['one', 'Apply', { 'f:data': {} }],
      ['two', 'Apply', { 'f:data': { 'f:a': {}, 'f:c': {} } }],
    ])
    const dry = apply(configMaps, released, config({ dry: 'run' }), { manager: 'two' })
    expect(dry['data']).toEqual({ dry: 'run' })
    const edited = mergePatch(configMaps, released, { data: { a: 'edited' } }, 'editor')
    expect(owners(edited)).toEqual([
      ['one', 'Apply', { 'f:data': {} }],
      ['two', 'Apply', { 'f:data': { 'f:c': {} } }],
      ['editor', 'Update', { 'f:data': { 'f:a': {} } }],
    ])
    expect(
      refusal(() => apply(configMaps, edited, config({ a: '9', c: '3' }), { manager: 'two' })).message,
    ).toBe('Apply failed with 1 conflict: conflict with "editor" using v1: .data.a')
  })

  it('removes the whole map with its last key, and forgets managers that own nothing', () => {
    const only = apply(configMaps, undefined, config({ a: '1' }), { manager: 'one' })
    const emptied = apply(configMaps, only, config(undefined), { manager: 'one' })
    expect(emptied['data']).toBeUndefined()
    expect(emptied.metadata.managedFields).toBeUndefined()
  })

  it('names the owner of untracked fields at the first apply', () => {
    const untracked: KubeObject = { ...config({ a: '1' }), metadata: { name: 'ssa', uid: 'u' } } as KubeObject
    const applied = apply(configMaps, untracked, config({ b: '2' }), { manager: 'one' })
    expect(owners(applied)).toEqual([
      ['one', 'Apply', { 'f:data': { 'f:b': {} } }],
      ['before-first-apply', 'Update', { 'f:data': { '.': {}, 'f:a': {} } }],
    ])
  })

  it('refuses unknown fields, wrong types, another version and managed fields in the words of Kubernetes', () => {
    const to = (more: JsonObject): { message: string; code: number; fields: string[] } =>
      refusal(() =>
        apply(
          configMaps,
          undefined,
          { ...config({}), metadata: { name: 'x', namespace: 'n' }, ...more },
          { manager: 'one' },
        ),
      )
    expect(to({ nonsense: 1 })).toMatchObject({
      code: 500,
      message:
        'failed to create typed patch object (n/x; /v1, Kind=ConfigMap): .nonsense: field not declared in schema',
    })
    expect(to({ data: { a: 1 } }).message).toBe(
      'failed to create typed patch object (n/x; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}',
    )
    expect(to({ apiVersion: 'v2' })).toMatchObject({
      code: 400,
      message: 'invalid object type: /v2, Kind=ConfigMap',
    })
    expect(to({ kind: 'Secret' })).toMatchObject({
      code: 400,
      message: 'invalid object type: /v1, Kind=Secret',
    })
    expect(to({ metadata: { name: 'x', managedFields: [{}] } }).message).toBe(
      'metadata.managedFields must be nil',
    )
  })

  it('lets kubectl take over what its client-side apply wrote', () => {
    const lastApplied = JSON.stringify(config({ a: '1' }))
    const made = create(
      configMaps,
      {
        ...config({ a: '1' }),
        metadata: {
          name: 'ssa',
          annotations: { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied },
        },
      },
      'kubectl-client-side-apply',
    )
    expect(apply(configMaps, made, config({ a: '2' }), { manager: 'kubectl' })['data']).toEqual({ a: '2' })
    expect(refusal(() => apply(configMaps, made, config({ a: '2' }), { manager: 'other' })).code).toBe(409)
  })
})

describe('applying lists', () => {
  const service = (ports: JsonObject[], more: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'svc' },
    spec: { ports, ...more },
  })

  it('merges ports by number and protocol, with the default of the protocol', () => {
    const first = apply(services, undefined, service([{ port: 80, name: 'a' }], { clusterIP: 'None' }), {
      manager: 'one',
    })
    // What defaulting adds belongs to nobody.
    const live = structuredClone(first)
    Object.assign(live['spec'] as object, {
      ports: [{ port: 80, name: 'a', protocol: 'TCP', targetPort: 80 }],
    })
    const second = apply(services, live, service([{ port: 81, name: 'b' }]), { manager: 'two' })
    expect(second['spec']).toEqual({
      clusterIP: 'None',
      ports: [
        { port: 80, name: 'a', protocol: 'TCP', targetPort: 80 },
        { port: 81, name: 'b' },
      ],
    })
    expect(owners(second)).toEqual([
      [
        'one',
        'Apply',
        {
          'f:spec': {
            'f:clusterIP': {},
            'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
          },
        },
      ],
      [
        'two',
        'Apply',
        {
          'f:spec': {
            'f:ports': { 'k:{"port":81,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
          },
        },
      ],
    ])
    const removed = apply(services, second, service([]), { manager: 'one' })
    expect(removed['spec']).toEqual({ ports: [{ port: 81, name: 'b' }] })
  })

  it('puts shared items in the order of the applier and leaves the others between them', () => {
    const pod = (names: string[]): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: names.map((name) => ({ name, image: 'i' })) },
    })
    const live = apply(pods, undefined, pod(['a', 'b', 'c']), { manager: 'one' })
    const applied = apply(pods, live, pod(['c', 'a', 'd']), { manager: 'two' })
    const { containers } = applied['spec'] as { containers: { name: string }[] }
    expect(containers.map(({ name }) => name)).toEqual(['b', 'c', 'a', 'd'])
  })

  it('owns the items of a set one by one, and an atomic list as a whole', () => {
    const finalized = (finalizers: string[]): JsonObject => ({
      ...config(undefined),
      metadata: { name: 'ssa', finalizers },
    })
    const one = apply(configMaps, undefined, finalized(['x/a']), { manager: 'one' })
    const two = apply(configMaps, one, finalized(['x/b']), { manager: 'two' })
    expect(two.metadata.finalizers).toEqual(['x/a', 'x/b'])
    const gone = apply(configMaps, two, config(undefined), { manager: 'one' })
    expect(gone.metadata.finalizers).toEqual(['x/b'])
    const command = (value: string[]): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a', command: value }] },
    })
    const live = apply(pods, undefined, command(['x']), { manager: 'one' })
    expect(refusal(() => apply(pods, live, command(['x', 'y']), { manager: 'two' })).message).toBe(
      'Apply failed with 1 conflict: conflict with "one": .spec.containers[name="a"].command',
    )
  })

  it('refuses items without their key, and the same item twice', () => {
    expect(
      refusal(() => apply(services, undefined, service([{ name: 'a' }]), { manager: 'one' })).message,
    ).toContain(
      '.spec.ports: element 0: associative list with keys has an element that omits key field "port" (and doesn\'t have default value)',
    )
    expect(
      refusal(() => apply(services, undefined, service([{ port: 1 }, { port: 1 }]), { manager: 'one' }))
        .message,
    ).toContain('.spec.ports: duplicate entries for key [port=1,protocol="TCP"]')
  })

  it('removes a list item that the applier drops even when an updater owns a field in it', () => {
    const live = apply(services, undefined, service([{ port: 80 }, { port: 81 }]), { manager: 'one' })
    const edited = mergePatch(
      services,
      live,
      { spec: { ports: [{ port: 80 }, { port: 81, nodePort: 30001 }] } },
      'editor',
    )
    const applied = apply(services, edited, service([{ port: 80 }]), { manager: 'one' })
    expect(applied['spec']).toEqual({ ports: [{ port: 80 }] })
  })
})

describe('managed fields of updates', () => {
  it('records a creation as kubectl shows it', () => {
    const made = create(
      pods,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', labels: { run: 'p' }, creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: {
          containers: [{ name: 'p', image: 'i', resources: {}, env: [{ name: 'A', value: 'b' }] }],
          securityContext: {},
          nodeSelector: { a: 'b' },
        },
        status: { phase: 'Pending' },
      },
      'kubectl-run',
    )
    expect(owners(made)).toEqual([
      [
        'kubectl-run',
        'Update',
        {
          'f:metadata': { 'f:labels': { '.': {}, 'f:run': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"p"}': {
                '.': {},
                'f:name': {},
                'f:image': {},
                'f:resources': {},
                'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
              },
            },
            'f:securityContext': {},
            'f:nodeSelector': {},
          },
        },
      ],
    ])
  })

  it('keeps the entry and its time when an update changes nothing', () => {
    const made = create(configMaps, config({ a: '1' }), 'one')
    expect(mergePatch(configMaps, made, { data: { a: '1' } }, 'one')).toEqual(made)
    expect(mergePatch(configMaps, made, { data: { a: '1' } }, 'two')).toEqual(made)
  })

  it('takes removed fields from everybody, and the manager with nothing left from the list', () => {
    const made = create(configMaps, config({ a: '1' }), 'one')
    const two = mergePatch(configMaps, made, { data: { a: '2' } }, 'two')
    expect(owners(two)).toEqual([
      ['one', 'Update', { 'f:data': {} }],
      ['two', 'Update', { 'f:data': { 'f:a': {} } }],
    ])
    expect(mergePatch(configMaps, two, { data: null }, 'three').metadata.managedFields).toBeUndefined()
  })

  it('keeps status and the rest apart by subresource', () => {
    const made = create(
      pods,
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { nodeName: 'n' } },
      'one',
    )
    const ran = mergePatch(pods, made, { status: { phase: 'Running' } }, 'one', 'status')
    expect(owners(ran)).toEqual([
      ['one', 'Update', { 'f:spec': { 'f:nodeName': {} } }],
      ['one', 'Update', { 'f:status': { 'f:phase': {} } }, 'status'],
    ])
  })

  it('does not track an object that is not tracked, and forgets all when told to', () => {
    const made = create(configMaps, config({ a: '1' }), 'one')
    const reset = {
      ...structuredClone(made),
      data: { a: '2' },
      metadata: { ...made.metadata, managedFields: [{}] },
    }
    updateManagedFields(reset, made, { resource: configMaps, manager: 'one', now })
    expect(reset.metadata.managedFields).toBeUndefined()
    const again: KubeObject = { ...structuredClone(reset), data: { a: '3' } }
    updateManagedFields(again, reset, { resource: configMaps, manager: 'one', now })
    expect(again.metadata.managedFields).toBeUndefined()
  })

  it('folds the oldest of many updaters into one entry', () => {
    let object = create(configMaps, config({ k0: '0' }), 'm0')
    for (let index = 1; index < 14; index++) {
      now += 1000
      object = mergePatch(configMaps, object, { data: { [`k${index}`]: '1' } }, `m${index}`)
    }
    const names = (object.metadata.managedFields ?? []).map(({ manager }) => manager)
    expect(names).toHaveLength(10)
    expect(names[0]).toBe('ancient-changes')
    expect(object.metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {}, 'f:k4': {} },
    })
  })

  it('ignores entries that are none', () => {
    const made = create(configMaps, config({ a: '1' }), 'one')
    const sent = [
      { manager: 'x', operation: 'Update', fieldsV1: { nonsense: 1 } },
    ] as unknown as ManagedFieldsEntry[]
    const next: KubeObject = {
      ...structuredClone(made),
      data: { a: '2' },
      metadata: { ...made.metadata, managedFields: sent },
    }
    updateManagedFields(next, made, { resource: configMaps, manager: 'two', now: now + 1000 })
    expect(owners(next)).toEqual([
      ['one', 'Update', { 'f:data': {} }],
      ['two', 'Update', { 'f:data': { 'f:a': {} } }],
    ])
  })
})

describe('applying a custom resource', () => {
  const jobs = {
    group: 'kubeflow.example',
    version: 'v1',
    kind: 'TrainJob',
    hasStatus: true,
    isCustom: true,
    schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { image: { type: 'string' }, workers: { type: 'integer', default: 2 } },
        },
        status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  } as const
  const job = (more: JsonObject): JsonObject => ({
    apiVersion: 'kubeflow.example/v1',
    kind: 'TrainJob',
    metadata: { name: 'a' },
    ...more,
  })

  it('owns what was applied and not its defaults', () => {
    const made = apply(jobs, undefined, job({ spec: { image: 'x' } }), { manager: 'one' })
    expect(made['spec']).toEqual({ image: 'x', workers: 2 })
    expect(owners(made)).toEqual([['one', 'Apply', { 'f:spec': { 'f:image': {} } }]])
  })

  it('records a creation with its spec, which no empty custom resource has', () => {
    const made = create(jobs, job({ spec: { image: 'x' } }), 'one')
    expect(owners(made)).toEqual([['one', 'Update', { 'f:spec': { '.': {}, 'f:image': {} } }]])
  })
})

describe('fields that were written in several versions of a custom resource', () => {
  const ports = (more: JsonObject): JsonObject => ({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          image: { type: 'string' },
          ports: {
            type: 'array',
            items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
            ...more,
          },
        },
      },
    },
  })
  const keyed = ports({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
  const atomic = ports({})
  const versionSchemas = new Map([
    ['v1', keyed],
    ['v2', atomic],
    ['v3', keyed],
  ])
  const inVersion = (version: 'v1' | 'v2' | 'v3'): Resource =>
    ({
      group: 'ports.example',
      version,
      kind: 'Ports',
      hasStatus: false,
      isCustom: true,
      schema: versionSchemas.get(version),
      versionSchemas,
    }) as unknown as Resource
  const [v1, v2, v3] = [inVersion('v1'), inVersion('v2'), inVersion('v3')]
  const of = (version: string, list?: JsonObject[], image?: string): JsonObject => ({
    apiVersion: `ports.example/${version}`,
    kind: 'Ports',
    metadata: { name: 'a' },
    spec: { ...(list && { ports: list }), ...(image && { image }) },
  })
  const as = (version: string, object: KubeObject): KubeObject => ({
    ...object,
    apiVersion: `ports.example/${version}`,
  })
  const [x, y] = [
    { name: 'x', port: 1 },
    { name: 'y', port: 2 },
  ]
  const item = { '.': {}, 'f:name': {}, 'f:port': {} }

  /** Entries are in the order of their times, which a turn of a second changes. */
  const sorted = (object: KubeObject): unknown[] =>
    owners(object).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

  it('are lost in each version as that one has them', () => {
    const one = apply(v1, undefined, of('v1', [x, y]), { manager: 'one' })
    const changed = mergePatch(v2, as('v2', one), { spec: { ports: [x, { name: 'y', port: 3 }] } }, 'two')
    expect(sorted(changed)).toEqual([
      [
        'one',
        'Apply',
        {
          'f:spec': {
            'f:ports': { 'k:{"name":"x"}': item, 'k:{"name":"y"}': { '.': {}, 'f:name': {} } },
          },
        },
      ],
      ['two', 'Update', { 'f:spec': { 'f:ports': {} } }],
    ])
    const without = mergePatch(v2, as('v2', changed), { spec: { ports: [x] } }, 'two')
    expect(sorted(without)[0]).toEqual([
      'one',
      'Apply',
      { 'f:spec': { 'f:ports': { 'k:{"name":"x"}': item } } },
    ])
  })

  it('are in dispute as their owner has them', () => {
    const one = apply(v1, undefined, of('v1', [x]), { manager: 'one' })
    const refused = refusal(() =>
      apply(v2, as('v2', one), of('v2', [{ name: 'x', port: 9 }]), { manager: 'two' }),
    )
    expect(refused.message).toBe(
      'Apply failed with 1 conflict: conflict with "one": .spec.ports[name="x"].port',
    )
    const two = apply(v2, as('v2', one), of('v2', [x, y]), { manager: 'two' })
    expect(two['spec']).toEqual({ ports: [x, y] })
  })

  it('are given up by whoever leaves them out in another version, and stay while others own them', () => {
    const one = apply(v1, undefined, of('v1', [x, y], 'i'), { manager: 'one' })
    const two = apply(v1, one, of('v1', [y]), { manager: 'two' })
    const left = apply(v3, as('v3', two), of('v3', undefined, 'i'), { manager: 'one' })
    expect(left['spec']).toEqual({ image: 'i', ports: [y] })
    expect(sorted(left)).toEqual([
      ['one', 'Apply', { 'f:spec': { 'f:image': {} } }],
      ['two', 'Apply', { 'f:spec': { 'f:ports': { 'k:{"name":"y"}': item } } }],
    ])
  })

  it('belong to nobody once their version is gone', () => {
    const one = apply(v1, undefined, of('v1', [x], 'i'), { manager: 'one' })
    const later = { ...v2, versionSchemas: new Map([['v2', atomic]]) } as Resource
    const two = apply(later, as('v2', one), of('v2', undefined, 'j'), { manager: 'two' })
    expect(two['spec']).toEqual({ image: 'j', ports: [x] })
    expect(sorted(two)).toEqual([['two', 'Apply', { 'f:spec': { 'f:image': {} } }]])
  })
})

describe('reading an apply patch', () => {
  it('takes YAML and JSON', async () => {
    expect(await parsePatch('apply', 'kind: ConfigMap\ndata:\n  a: "1"\n', 'Warn')).toEqual({
      is: 'apply',
      value: { kind: 'ConfigMap', data: { a: '1' } },
      faults: [],
    })
    await expect(parsePatch('apply', 'a: [', 'Warn')).rejects.toThrow(/^error decoding YAML: /)
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiOfKinds, causesOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const group = '/apis/resource.k8s.io/v1'
const classes = `${group}/deviceclasses`
const slices = `${group}/resourceslices`
const claims = `${group}/namespaces/default/resourceclaims`
const templates = `${group}/namespaces/default/resourceclaimtemplates`
const merge = { type: 'application/merge-patch+json' }

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'resource.k8s.io/v1',
  kind,
  metadata: { name },
  spec,
})
const causes = async (path: string, body: object): Promise<unknown> =>
  causesOf(await api.send('POST', path, body))
const request = { name: 'gpu', exactly: { deviceClassName: 'gpu.acme.io' } }

test('discovery shows the kinds, and a status of claims alone', async () => {
  const { body } = await api.send('GET', group)
  const { resources } = body as { resources: { name: string; namespaced: boolean }[] }
  expect(resources.map(({ name, namespaced }) => [name, namespaced])).toEqual([
    ['deviceclasses', false],
    ['resourceclaims', true],
    ['resourceclaims/status', true],
    ['resourceclaimtemplates', true],
    ['resourceslices', false],
  ])
})

test('a device class counts its changes, and its expressions must compile', async () => {
  const selectors = [{ cel: { expression: 'device.attributes["gpu.acme.io"].memory >= 80' } }]
  const opaque = { driver: 'gpu.acme.io', parameters: { mode: 'shared' } }
  const made = await api.send(
    'POST',
    classes,
    object('DeviceClass', 'gpu.acme.io', { selectors, config: [{ opaque }] }),
  )
  expect(made.body).toMatchObject({ metadata: { generation: 1 }, spec: { config: [{ opaque }] } })
  const changed = await api.send('PATCH', `${classes}/gpu.acme.io`, { spec: { config: null } }, merge)
  expect(changed.body).toMatchObject({ metadata: { generation: 2 } })
  expect(
    await causes(
      classes,
      object('DeviceClass', 'bad', {
        selectors: [{}, { cel: { expression: 'device.driver' } }, { cel: { expression: 'nothing' } }],
        config: [{}],
        extendedResourceName: 'cpu',
      }),
    ),
  ).toEqual([
    ['spec.selectors[0].cel', 'Required value'],
    [
      'spec.selectors[1].cel.expression',
      'Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
    ],
    ['spec.selectors[2].cel.expression', expect.stringContaining("undeclared reference to 'nothing'")],
    ['spec.config[0].opaque', 'Required value'],
    ['spec.extendedResourceName', 'Invalid value: "cpu": must be a valid extended resource name'],
  ])
})

test('a claim gets its defaults, keeps its spec, and tells how far it is', async () => {
  const made = await api.send(
    'POST',
    claims,
    object('ResourceClaim', 'c', { devices: { requests: [request], config: [] } }),
  )
  expect(made.body).toMatchObject({
    spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } },
  })
  const spec = { devices: { requests: [{ ...request, name: 'other' }] } }
  expect(causesOf(await api.send('PATCH', `${claims}/c`, { spec }, merge)).map(([field]) => field)).toEqual([
    'spec',
  ])
  const early = await api.send(
    'PATCH',
    `${claims}/c/status`,
    { status: { reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] } },
    merge,
  )
  expect(causesOf(early)).toEqual([
    ['status.reservedFor', 'Forbidden: may not be specified when `allocated` is not set'],
  ])
  expect((await tableOf(api, `${claims}/c`)).cells).toEqual(['c', 'pending', expect.any(String)])
  const given = { request: 'gpu', driver: 'gpu.acme.io', pool: 'node1', device: 'gpu-0' }
  const wrong = await api.send(
    'PATCH',
    `${claims}/c/status`,
    { status: { allocation: { devices: { results: [{ ...given, request: 'none' }] } } } },
    merge,
  )
  expect(causesOf(wrong).map(([field]) => field)).toEqual(['status.allocation.devices.results[0].request'])
  const status = {
    allocation: { devices: { results: [given] } },
    reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }],
  }
  expect((await api.send('PATCH', `${claims}/c/status`, { status }, merge)).status).toBe(200)
  expect(await tableOf(api, `${claims}/c`)).toEqual({
    columns: ['Name', 'State', 'Age'],
    cells: ['c', 'allocated,reserved', expect.any(String)],
  })
  const moved = { status: { allocation: { devices: { results: [{ ...given, device: 'gpu-1' }] } } } }
  expect(
    causesOf(await api.send('PATCH', `${claims}/c/status`, moved, merge)).map(([field]) => field),
  ).toEqual(['status.allocation'])
})

test('a claim or a template that cannot be right is refused with what is wrong with it', async () => {
  const devices = {
    requests: [
      { name: 'A' },
      { name: 'b', exactly: { deviceClassName: '', allocationMode: 'Some' } },
      { name: 'b', exactly: { deviceClassName: 'x', allocationMode: 'All', count: 2 } },
      {
        name: 'c',
        firstAvailable: [{ name: 'd', deviceClassName: 'x', tolerations: [{ operator: 'Like' }] }],
      },
    ],
    constraints: [{ requests: ['c/d', 'c/e'], matchAttribute: 'model' }, {}],
    config: [{ requests: ['none'], opaque: { driver: '-', parameters: {} } }],
  }
  const at = (path: string): string => `spec.spec.devices.${path}`
  expect(await causes(templates, object('ResourceClaimTemplate', 'bad', { spec: { devices } }))).toEqual([
    [at('requests[0].name'), expect.stringContaining('Invalid value: "A"')],
    [at('requests[0]'), 'Required value: exactly one of `exactly` or `firstAvailable` is required'],
    [at('requests[1].exactly.deviceClassName'), 'Required value'],
    [
      at('requests[1].exactly.allocationMode'),
      'Unsupported value: "Some": supported values: "All", "ExactCount"',
    ],
    [at('requests[2].exactly.count'), "Invalid value: 2: must not be specified when allocationMode is 'All'"],
    [
      at('requests[3].firstAvailable[0].tolerations[0].operator'),
      'Unsupported value: "Like": supported values: "Equal", "Exists"',
    ],
    [at('requests[2]'), 'Duplicate value: "b"'],
    [at('constraints[0].requests[1]'), expect.stringContaining('Invalid value: "c/e": must be the name of')],
    [
      at('constraints[0].matchAttribute'),
      'Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
    ],
    [at('constraints[1].matchAttribute'), 'Required value'],
    [at('config[0].requests[0]'), expect.stringContaining('Invalid value: "none": must be the name of')],
    [at('config[0].opaque.driver'), expect.stringContaining('Invalid value: "-"')],
  ])
})

test('a slice lists devices of one pool, found by their node', async () => {
  const pool = { name: 'node1', generation: 1, resourceSliceCount: 1 }
  const device = {
    name: 'gpu-0',
    attributes: { model: { string: 'a100' }, 'acme.io/driver': { version: '1.2.3' } },
    capacity: { memory: { value: '80Gi' } },
  }
  const spec = { driver: 'gpu.acme.io', pool, nodeName: 'node1', devices: [device] }
  expect((await api.send('POST', slices, object('ResourceSlice', 's', spec))).body).toMatchObject({
    metadata: { generation: 1 },
    spec,
  })
  expect(await tableOf(api, `${slices}?fieldSelector=spec.nodeName=node1`)).toEqual({
    columns: ['Name', 'Node', 'Driver', 'Pool', 'Age'],
    cells: ['s', 'node1', 'gpu.acme.io', 'node1', expect.any(String)],
  })
  expect((await tableOf(api, `${slices}?fieldSelector=spec.nodeName=node2`)).cells).toEqual([])
  const moved = await api.send('PATCH', `${slices}/s`, { spec: { nodeName: 'node2' } }, merge)
  expect(causesOf(moved).map(([field]) => field)).toEqual(['spec.nodeName'])
  expect(
    await causes(
      slices,
      object('ResourceSlice', 'bad', {
        driver: 'gpu.acme.io',
        pool: { name: '', generation: -1, resourceSliceCount: 0 },
        nodeName: 'n',
        allNodes: true,
        devices: [
          { name: 'a', allNodes: true, attributes: { 'a/b/c': { string: 'x', int: 1 } } },
          { name: 'a', attributes: { 'no dash': { version: '1' } }, taints: [{ key: '', effect: 'Never' }] },
        ],
      }),
    ),
  ).toEqual([
    ['spec.pool.name', 'Required value'],
    ['spec.pool.resourceSliceCount', 'Invalid value: 0: must be greater than zero'],
    ['spec.pool.generation', 'Invalid value: -1: must be greater than or equal to zero'],
    [
      'spec',
      'Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
    ],
    ['spec.devices[0].attributes', 'Invalid value: "a/b/c": must not contain more than one slash'],
    [
      'spec.devices[0].attributes[a/b/c]',
      'Invalid value: {"string":"x","int":1}: exactly one value must be specified',
    ],
    ['spec.devices[0]', expect.stringContaining('can only be set if `perDeviceNodeSelection` is set')],
    ['spec.devices[1].attributes', expect.stringContaining('Invalid value: "no dash"')],
    [
      'spec.devices[1].attributes[no dash].version',
      'Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
    ],
    ['spec.devices[1].taints[0].key', 'Required value'],
    [
      'spec.devices[1].taints[0].effect',
      'Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
    ],
    ['spec.devices[1]', 'Duplicate value: "a"'],
  ])
})

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ApiOfKinds, causesOf, messageOf, startApi, tableOf } from './cluster.ts'

let api: ApiOfKinds
const group = '/apis/flowcontrol.apiserver.k8s.io/v1'
const schemas = `${group}/flowschemas`
const levels = `${group}/prioritylevelconfigurations`
const merge = { type: 'application/merge-patch+json' }
const patience = { timeout: 10_000 }

const bootstrapSchemas = [
  ['exempt', 'exempt', 1, '<none>'],
  ['probes', 'exempt', 2, '<none>'],
  ['system-leader-election', 'leader-election', 100, 'ByUser'],
  ['endpoint-controller', 'workload-high', 150, 'ByUser'],
  ['workload-leader-election', 'leader-election', 200, 'ByUser'],
  ['system-node-high', 'node-high', 400, 'ByUser'],
  ['system-nodes', 'system', 500, 'ByUser'],
  ['kube-controller-manager', 'workload-high', 800, 'ByNamespace'],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace'],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace'],
  ['service-accounts', 'workload-low', 9000, 'ByUser'],
  ['global-default', 'global-default', 9900, 'ByUser'],
  ['catch-all', 'catch-all', 10_000, 'ByUser'],
]

beforeAll(async () => {
  api = await startApi()
  // They come after the start, so that it does not wait for them.
  await vi.waitFor(async () => {
    const { body } = await api.send('GET', schemas)
    expect(body['items']).toHaveLength(bootstrapSchemas.length)
  }, patience)
}, 60_000)
afterAll(() => api.close())

const object = (kind: string, name: string, spec: object, labels = {}): object => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind,
  metadata: { name, labels },
  spec,
})
const rule = {
  subjects: [{ kind: 'User', user: { name: 'ada' } }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const named = (name: string): object => ({ priorityLevelConfiguration: { name }, rules: [rule] })

test('discovery shows both kinds, each with a status', async () => {
  const { body } = await api.send('GET', group)
  const { resources } = body as { resources: { name: string; namespaced: boolean }[] }
  expect(resources.map(({ name, namespaced }) => [name, namespaced])).toEqual([
    ['flowschemas', false],
    ['flowschemas/status', false],
    ['prioritylevelconfigurations', false],
    ['prioritylevelconfigurations/status', false],
  ])
})

test('every cluster has the flow schemas of Kubernetes, and shows them in the order of their precedence', async () => {
  const { columns, cells } = await tableOf(api, schemas)
  expect(columns).toEqual([
    'Name',
    'PriorityLevel',
    'MatchingPrecedence',
    'DistinguisherMethod',
    'Age',
    'MissingPL',
  ])
  expect(cells).toEqual(bootstrapSchemas.flatMap((row) => [...row, expect.any(String), 'False']))
  const exempt = await api.send('GET', `${schemas}/exempt`)
  expect(exempt.body).toMatchObject({
    metadata: { generation: 1, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } },
    status: {
      conditions: [
        {
          type: 'Dangling',
          status: 'False',
          reason: 'Found',
          message:
            'This FlowSchema references the PriorityLevelConfiguration object named "exempt" and it exists',
        },
      ],
    },
  })
})

test('every cluster has the priority levels of Kubernetes', async () => {
  const { columns, cells } = await tableOf(api, levels)
  expect(columns).toEqual([
    'Name',
    'Type',
    'NominalConcurrencyShares',
    'Queues',
    'HandSize',
    'QueueLengthLimit',
    'Age',
  ])
  const none = ['<none>', '<none>', '<none>']
  const rows = [
    ['catch-all', 'Limited', 5, ...none],
    ['exempt', 'Exempt', '<none>', ...none],
    ['global-default', 'Limited', 20, 128, 6, 50],
    ['leader-election', 'Limited', 10, 16, 4, 50],
    ['node-high', 'Limited', 40, 64, 6, 50],
    ['system', 'Limited', 30, 64, 6, 50],
    ['workload-high', 'Limited', 40, 128, 6, 50],
    ['workload-low', 'Limited', 100, 128, 6, 50],
  ]
  expect(cells).toEqual(rows.flatMap((row) => [...row, expect.any(String)]))
})

test('what must be as it is cannot be changed, but for what the level without limits lends', async () => {
  const schema = await api.send(
    'PATCH',
    `${schemas}/catch-all`,
    { spec: { matchingPrecedence: 9999 } },
    merge,
  )
  expect(messageOf(schema)).toMatch(/spec of 'catch-all' must equal the fixed value$/)
  const shares = { spec: { limited: { nominalConcurrencyShares: 6 } } }
  const level = await api.send('PATCH', `${levels}/catch-all`, shares, merge)
  expect(messageOf(level)).toMatch(/spec of 'catch-all' must equal the fixed value$/)
  const lent = { spec: { exempt: { lendablePercent: 50 } } }
  expect((await api.send('PATCH', `${levels}/exempt`, lent, merge)).status).toBe(200)
})

test('a flow schema says whether its priority level is there, whichever comes first', async () => {
  const created = await api.send('POST', schemas, object('FlowSchema', 'early', named('late')))
  expect(created.body).toMatchObject({ metadata: { generation: 1 }, spec: { matchingPrecedence: 1000 } })
  const missing = async (): Promise<unknown> => (await tableOf(api, `${schemas}/early`)).cells.at(-1)
  await vi.waitFor(async () => expect(await missing()).toBe('True'), patience)
  const level = await api.send(
    'POST',
    levels,
    object('PriorityLevelConfiguration', 'late', {
      type: 'Limited',
      limited: { limitResponse: { type: 'Queue', queuing: {} } },
    }),
  )
  expect(level.body['spec']).toEqual({
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
      limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
    },
  })
  await vi.waitFor(async () => expect(await missing()).toBe('False'), patience)
  expect((await api.send('DELETE', `${levels}/late`)).status).toBe(200)
  await vi.waitFor(async () => expect(await missing()).toBe('True'), patience)
  expect((await api.send('DELETE', `${schemas}/early`)).status).toBe(200)
})

test('objects are patched, replaced, given a status and deleted together', async () => {
  const labels = { test: 'together' }
  for (const name of ['a', 'b'])
    await api.send('POST', schemas, object('FlowSchema', name, named('global-default'), labels))
  const patched = await api.send('PATCH', `${schemas}/a`, { spec: { matchingPrecedence: 50 } }, merge)
  expect(patched.body).toMatchObject({ metadata: { generation: 2 } })
  const replaced = await api.send('PUT', `${schemas}/a`, object('FlowSchema', 'a', named('system'), labels))
  expect(replaced.body).toMatchObject({
    metadata: { generation: 3 },
    spec: { priorityLevelConfiguration: { name: 'system' }, matchingPrecedence: 1000 },
  })
  const condition = { type: 'Own', status: 'True', reason: 'r', message: 'm' }
  const applied = await api.send(
    'PATCH',
    `${schemas}/a/status?fieldManager=test`,
    {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      status: { conditions: [condition] },
    },
    { type: 'application/apply-patch+yaml' },
  )
  const { status } = applied.body as { status: { conditions: object[] } }
  expect(status.conditions).toContainEqual(expect.objectContaining(condition))
  const twice = await api.send(
    'PATCH',
    `${schemas}/a/status`,
    { status: { conditions: [condition, condition, {}] } },
    merge,
  )
  expect(causesOf(twice)).toEqual([
    ['status.conditions[1].type', 'Duplicate value: "Own"'],
    ['status.conditions[2].type', 'Required value: must not be empty'],
  ])
  const gone = await api.send('DELETE', `${schemas}?labelSelector=test=together`)
  expect(gone.body['items']).toHaveLength(2)
  expect((await api.send('GET', `${schemas}/b`)).status).toBe(404)
})

test('a flow schema that cannot be right is refused with what is wrong with it', async () => {
  const refused = await api.send(
    'POST',
    schemas,
    object('FlowSchema', 'bad', {
      priorityLevelConfiguration: { name: '' },
      matchingPrecedence: 1,
      distinguisherMethod: { type: 'ByHand' },
      rules: [
        {},
        {
          subjects: [
            { kind: 'User', group: { name: 'g' } },
            { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: '' } },
            { kind: 'Robot' },
          ],
          resourceRules: [
            { verbs: ['fly'], apiGroups: [], resources: ['*', 'pods'] },
            { verbs: ['*', 'get'], apiGroups: [''], resources: ['pods'], namespaces: ['A'] },
          ],
          nonResourceRules: [{ verbs: [], nonResourceURLs: ['x', '/a//b', '/*/a'] }],
        },
      ],
    }),
  )
  const verbs = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"'
  expect(causesOf(refused)).toEqual([
    [
      'spec.matchingPrecedence',
      "Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
    [
      'spec.distinguisherMethod.type',
      'Unsupported value: {"type":"ByHand"}: supported values: "ByNamespace", "ByUser"',
    ],
    ['spec.priorityLevelConfiguration.name', 'Required value: must reference a priority level'],
    ['spec.rules[0].subjects', 'Required value: subjects must contain at least one value'],
    [
      'spec.rules[0]',
      'Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
    ],
    ['spec.rules[1].subjects[0].user', "Required value: user is required when subject kind is 'User'"],
    ['spec.rules[1].subjects[0].group', "Forbidden: group is forbidden when subject kind is not 'Group'"],
    [
      'spec.rules[1].subjects[1].serviceAccount.namespace',
      'Required value: must specify namespace for service account',
    ],
    [
      'spec.rules[1].subjects[2].kind',
      'Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
    ],
    ['spec.rules[1].resourceRules[0].verbs', `Unsupported value: ["fly"]: supported values: ${verbs}`],
    [
      'spec.rules[1].resourceRules[0].apiGroups',
      'Required value: resource rules must supply at least one api group',
    ],
    [
      'spec.rules[1].resourceRules[0].resources',
      `Invalid value: ["*","pods"]: if '*' is present, must not specify other resources`,
    ],
    [
      'spec.rules[1].resourceRules[0].namespaces',
      'Required value: resource rules that are not cluster scoped must supply at least one namespace',
    ],
    [
      'spec.rules[1].resourceRules[1].verbs',
      `Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
    ],
    [
      'spec.rules[1].resourceRules[1].namespaces[0]',
      expect.stringMatching(
        /^Invalid value: "A": each member of this list must be '\*' or a DNS-1123 label; /,
      ),
    ],
    ['spec.rules[1].nonResourceRules[0].verbs', 'Required value: verbs must contain at least one value'],
    ['spec.rules[1].nonResourceRules[0].nonResourceURLs[0]', 'Invalid value: "x": must start with slash'],
    [
      'spec.rules[1].nonResourceRules[0].nonResourceURLs[1]',
      'Invalid value: "/a//b": must not contain double slash',
    ],
    [
      'spec.rules[1].nonResourceRules[0].nonResourceURLs[2]',
      'Invalid value: "/*/a": wildcard can only do suffix matching',
    ],
  ])
})

test('a priority level that cannot be right is refused with what is wrong with it', async () => {
  const wrong = async (spec: object): Promise<unknown> =>
    causesOf(await api.send('POST', levels, object('PriorityLevelConfiguration', 'bad', spec)))
  const limited = (rest: object): object => ({ type: 'Limited', limited: rest })
  expect(await wrong({ type: 'Exempt', limited: { limitResponse: { type: 'Reject' } } })).toEqual([
    ['spec.type', `Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`],
    ['spec.limited', 'Forbidden: must be nil if the type is not Limited'],
  ])
  expect(await wrong({ type: 'Limited', exempt: {} })).toEqual([
    ['spec.exempt', 'Forbidden: must be nil if the type is Limited'],
    ['spec.limited', 'Required value: must not be empty when type is Limited'],
  ])
  expect(
    await wrong(
      limited({
        nominalConcurrencyShares: -1,
        lendablePercent: 101,
        borrowingLimitPercent: -1,
        limitResponse: { type: 'Queue', queuing: { queues: 128, handSize: 10, queueLengthLimit: -1 } },
      }),
    ),
  ).toEqual([
    ['spec.limited.nominalConcurrencyShares', 'Invalid value: -1: must be a non-negative integer'],
    ['spec.limited.limitResponse.queuing.queueLengthLimit', 'Invalid value: -1: must be positive'],
    [
      'spec.limited.limitResponse.queuing.handSize',
      'Invalid value: 10: required entropy bits of deckSize 128 and handSize 10 should not be greater than 60',
    ],
    ['spec.limited.lendablePercent', 'Invalid value: 101: must be between 0 and 100, inclusive'],
    ['spec.limited.borrowingLimitPercent', 'Invalid value: -1: if specified, must be a non-negative integer'],
  ])
  expect(await wrong(limited({ limitResponse: { type: 'Reject', queuing: {} } }))).toEqual([
    [
      'spec.limited.limitResponse.queuing',
      'Forbidden: must be nil if limited.limitResponse.type is not Limited',
    ],
  ])
})

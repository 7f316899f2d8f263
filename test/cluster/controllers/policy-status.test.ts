import { afterAll, beforeAll, expect, test } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster

beforeAll(async () => {
  cluster = await runCluster()
}, 60_000)

afterAll(async () => cluster.close())

interface Status {
  readonly observedGeneration?: number
  readonly typeChecking?: { readonly expressionWarnings?: readonly { fieldRef: string; warning: string }[] }
}

const statusOf = (object: object | undefined): Status =>
  (object as { status?: Status } | undefined)?.status ?? {}

async function checked(
  name: string,
  resources: string[],
  validations: { expression: string; messageExpression?: string }[],
  rest: { group?: string; spec?: object } = {},
): Promise<Status> {
  const { group = '', spec = {} } = rest
  const resourceRules = [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE'], resources }]
  await cluster.client.create(kinds.validatingAdmissionPolicies, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules }, validations, ...spec },
  })
  return statusOf(
    await cluster.until(kinds.validatingAdmissionPolicies, { name }, (policy) =>
      Boolean(statusOf(policy).observedGeneration),
    ),
  )
}

test('a policy without mistakes is observed and has no warnings', async () => {
  const expressions = [
    "object.metadata.name.startsWith('a') && object.spec.containers.all(c, c.name != '')",
    "has(object.metadata.labels) && object.metadata.labels['a'] == 'b'",
    "object.spec.containers.all(c, quantity(c.resources.limits['cpu']).isLessThan(quantity('2')))",
    "timestamp(object.metadata.creationTimestamp) < timestamp('2030-01-01T00:00:00Z')",
    'oldObject == null || object.spec.terminationGracePeriodSeconds == oldObject.spec.terminationGracePeriodSeconds',
  ]
  expect(
    await checked(
      'right',
      ['pods'],
      expressions.map((expression) => ({ expression })),
    ),
  ).toEqual({
    observedGeneration: 1,
    typeChecking: {},
  })
})

test('a field that no object of the kind has is told with its place', async () => {
  const status = await checked(
    'unknown',
    ['pods'],
    [{ expression: 'true' }, { expression: 'object.replicas > 1' }],
  )
  expect(status.typeChecking?.expressionWarnings).toEqual([
    {
      fieldRef: 'spec.validations[1].expression',
      warning:
        "/v1, Kind=Pod: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n",
    },
  ])
})

test('each kind that the rules name is looked at, and messages too', async () => {
  const status = await checked(
    'several',
    ['services', 'pods', 'pods/*', '*/scale'],
    [{ expression: 'object.spec.hostNetwork == false', messageExpression: 'object.metadata.nme' }],
  )
  const warnings = status.typeChecking?.expressionWarnings ?? []
  expect(warnings.map(({ fieldRef }) => fieldRef)).toEqual([
    'spec.validations[0].expression',
    'spec.validations[0].messageExpression',
  ])
  expect(warnings[0]?.warning).toContain(
    "/v1, Kind=Service: ERROR: <input>:1:12: undefined field 'hostNetwork'",
  )
  expect(warnings[0]?.warning).not.toContain('Kind=Pod')
  expect(warnings[1]?.warning).toMatch(/^\/v1, Kind=Pod: .*\n[^]*\n\/v1, Kind=Service: /)
})

test('operands of the wrong type are told, through variables as well', async () => {
  const status = await checked('typed', ['jobs'], [{ expression: "variables.wanted > 'many'" }], {
    group: 'batch',
    spec: { variables: [{ name: 'wanted', expression: 'object.spec.parallelism' }] },
  })
  expect(status.typeChecking?.expressionWarnings?.[0]?.warning).toContain(
    "batch/v1, Kind=Job: ERROR: <input>:1:18: found no matching overload for '_>_' applied to '(int, string)'",
  )
})

test('a custom kind is held against its own schema', async () => {
  const right = await checked(
    'tf',
    ['tfjobs'],
    [{ expression: 'object.metadata.labels.size() > 0' }, { expression: 'has(object.spec.nothing)' }],
    {
      group: 'kubeflow.org',
    },
  )
  expect(right.typeChecking?.expressionWarnings?.map(({ fieldRef }) => fieldRef)).toEqual([
    'spec.validations[1].expression',
  ])
})

test('a policy that looks at everything is only observed', async () => {
  expect(await checked('all', ['*'], [{ expression: 'object.no.such.field' }])).toEqual({
    observedGeneration: 1,
    typeChecking: {},
  })
})

test('a changed policy is looked at again', async () => {
  const at = { name: 'unknown' }
  const validations = [{ expression: "object.spec.nodeName != 'a'" }]
  await cluster.client.patch(kinds.validatingAdmissionPolicies, at, {
    type: 'merge',
    patch: { spec: { validations } },
  })
  const policy = await cluster.until(
    kinds.validatingAdmissionPolicies,
    at,
    (one) => statusOf(one).observedGeneration === 2,
  )
  expect(statusOf(policy)).toEqual({ observedGeneration: 2, typeChecking: {} })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiOfKinds, causesOf, startApi, tableOf } from './cluster.ts'
import { apply, bindings, group, json, policies, policy } from './mutating.ts'

let api: ApiOfKinds
const merge = { type: 'application/merge-patch+json' }

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

test('discovery shows both kinds, without a status', async () => {
  const { body } = await api.send('GET', group)
  const { resources } = body as { resources: { name: string; categories?: string[] }[] }
  expect(
    resources
      .filter(({ name }) => name.startsWith('mutatingadmission'))
      .map(({ name, categories }) => [name, categories]),
  ).toEqual([
    ['mutatingadmissionpolicies', ['api-extensions']],
    ['mutatingadmissionpolicybindings', ['api-extensions']],
  ])
})

test('a policy gets its defaults, counts its changes, and is shown in a table', async () => {
  const made = await api.send('POST', policies, policy('p', [apply('Object{}')]))
  expect(made.body).toMatchObject({
    metadata: { generation: 1 },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: [{ scope: '*' }],
      },
    },
  })
  expect(made.body['status']).toBeUndefined()
  const patched = await api.send('PATCH', `${policies}/p`, { spec: { failurePolicy: 'Ignore' } }, merge)
  expect(patched.body).toMatchObject({ metadata: { generation: 2 } })
  expect(await tableOf(api, `${policies}/p`)).toEqual({
    columns: ['Name', 'Mutations', 'ParamKind', 'Age'],
    cells: ['p', 1, '<unset>', expect.any(String)],
  })
  expect(await tableOf(api, bindings)).toEqual({
    columns: ['Name', 'PolicyName', 'ParamRef', 'Age'],
    cells: [],
  })
})

test('a policy that cannot be right is refused with what is wrong with it', async () => {
  const refused = await api.send(
    'POST',
    policies,
    policy(
      'bad',
      [
        { patchType: 'Replace' },
        { patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } },
        apply(' '),
        apply('Object{spec: nothing}'),
        apply('1'),
        json('[JSONPatch{op: 1}]'),
        json('[JSONPatch{step: "add"}]'),
        json('Object{}'),
        apply('Thing{a: 1}'),
      ],
      {
        failurePolicy: 'Hope',
        reinvocationPolicy: '',
        matchConditions: [{ name: 'c', expression: 'Object{} == Object{}' }],
      },
    ),
  )
  const at = (index: number, field: string): string => `spec.mutations[${index}].${field}`
  expect(causesOf(refused)).toEqual([
    ['spec.failurePolicy', 'Unsupported value: "Hope": supported values: "Fail", "Ignore"'],
    [at(0, 'patchType'), 'Unsupported value: "Replace": supported values: "ApplyConfiguration", "JSONPatch"'],
    [at(1, 'jsonPatch'), 'Required value: must be specified when patchType is JSONPatch'],
    [
      at(1, 'applyConfiguration'),
      'Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
    ],
    [at(2, 'applyConfiguration.expression'), 'Required value: expression is not specified'],
    ['spec.reinvocationPolicy', 'Required value'],
    ['spec.matchConditions[0].expression', expect.stringContaining("undeclared reference to 'Object'")],
    [at(3, 'applyConfiguration.expression'), expect.stringContaining("undeclared reference to 'nothing'")],
    [at(4, 'applyConfiguration.expression'), 'Invalid value: "1": must evaluate to Object'],
    [
      at(5, 'jsonPatch.expression'),
      expect.stringContaining("expected type of field 'op' is 'string' but provided type is 'int'"),
    ],
    [at(6, 'jsonPatch.expression'), expect.stringContaining("undefined field 'step'")],
    [at(7, 'jsonPatch.expression'), 'Invalid value: "Object{}": must evaluate to list(JSONPatch)'],
    [at(8, 'applyConfiguration.expression'), expect.stringContaining("undeclared reference to 'Thing'")],
  ])
  const empty = await api.send('POST', policies, policy('empty', []))
  expect(causesOf(empty)).toEqual([
    ['spec.mutations', 'Required value: mutations must contain at least one item'],
  ])
  const binding = await api.send('POST', bindings, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'bad' },
    spec: { paramRef: {} },
  })
  expect(causesOf(binding).map(([field]) => field)).toEqual([
    'spec.policyName',
    'spec.paramRef',
    'spec.paramRef.parameterNotFoundAction',
  ])
})

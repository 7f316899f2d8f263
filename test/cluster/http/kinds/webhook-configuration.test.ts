import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiOfKinds, causesOf, startApi, tableOf } from './cluster.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
const validating = `${group}/validatingwebhookconfigurations`
const mutating = `${group}/mutatingwebhookconfigurations`
const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
const hook = (more: object = {}): object => ({
  name: 'pods.hooks.example',
  clientConfig: { service: { namespace: 'team', name: 'hook', path: '/check' } },
  rules: [rule],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
})
const configuration = (name: string, ...webhooks: object[]): object => ({ metadata: { name }, webhooks })

describe('webhook configurations', () => {
  let api: ApiOfKinds
  beforeAll(async () => {
    api = await startApi()
  })
  afterAll(() => api.close())

  const faultsOf = async (more: object, path = validating): Promise<[string, string][]> =>
    causesOf(await api.send('POST', path, configuration('wrong', hook(more))))

  it('get what is left out, and count their changes', async () => {
    const made = await api.send('POST', mutating, configuration('defaults', hook()))
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      metadata: { name: 'defaults', generation: 1 },
      webhooks: [
        {
          name: 'pods.hooks.example',
          clientConfig: { service: { namespace: 'team', name: 'hook', path: '/check', port: 443 } },
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          timeoutSeconds: 10,
          reinvocationPolicy: 'Never',
          rules: [{ ...rule, scope: '*' }],
        },
      ],
    })
    const patched = await api.send(
      'PATCH',
      `${mutating}/defaults`,
      { webhooks: [{ name: 'pods.hooks.example', timeoutSeconds: 3 }] },
      { type: 'application/strategic-merge-patch+json' },
    )
    expect(patched.body).toMatchObject({
      metadata: { generation: 2 },
      webhooks: [{ timeoutSeconds: 3, sideEffects: 'None' }],
    })
    const checked = await api.send('POST', validating, configuration('defaults', hook()))
    expect(checked.body['webhooks']).not.toMatchObject([{ reinvocationPolicy: 'Never' }])
    expect(await tableOf(api, validating)).toMatchObject({
      columns: ['Name', 'Webhooks', 'Age'],
      cells: ['defaults', 1, expect.any(String)],
    })
  })

  it('are refused with the words of Kubernetes', async () => {
    expect(await faultsOf({ name: 'short.name' })).toEqual([
      [
        'webhooks[0].name',
        'Invalid value: "short.name": should be a domain with at least three segments separated by dots',
      ],
    ])
    expect(await faultsOf({ sideEffects: 'Some', timeoutSeconds: 31 })).toEqual([
      ['webhooks[0].sideEffects', 'Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
      ['webhooks[0].timeoutSeconds', 'Invalid value: 31: the timeout value must be between 1 and 30 seconds'],
    ])
    expect(await faultsOf({ admissionReviewVersions: ['v2', 'v2'] })).toEqual([
      ['webhooks[0].admissionReviewVersions[1]', 'Invalid value: "v2": duplicate version'],
      [
        'webhooks[0].admissionReviewVersions',
        'Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
      ],
    ])
    expect(
      await faultsOf(
        { failurePolicy: 'Maybe', matchPolicy: 'Never', reinvocationPolicy: 'Always' },
        mutating,
      ),
    ).toEqual([
      ['webhooks[0].failurePolicy', 'Unsupported value: "Maybe": supported values: "Fail", "Ignore"'],
      ['webhooks[0].matchPolicy', 'Unsupported value: "Never": supported values: "Equivalent", "Exact"'],
      [
        'webhooks[0].reinvocationPolicy',
        'Unsupported value: "Always": supported values: "IfNeeded", "Never"',
      ],
    ])
    const twice = await api.send('POST', validating, configuration('twice', hook(), hook()))
    expect(causesOf(twice)).toEqual([['webhooks[1].name', 'Duplicate value: "pods.hooks.example"']])
    expect(await faultsOf({ rules: [{ ...rule, operations: ['*', 'CREATE'], apiVersions: [] }] })).toEqual([
      [
        'webhooks[0].rules[0].operations',
        'Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
      ],
      ['webhooks[0].rules[0].apiVersions', 'Required value'],
    ])
  })

  it('name one place, and one that can be reached safely', async () => {
    const one = 'exactly one of url or service is required'
    expect(await faultsOf({ clientConfig: {} })).toEqual([
      ['webhooks[0].clientConfig', `Required value: ${one}`],
    ])
    const form = '; desired format: https://host[/path]'
    expect(await faultsOf({ clientConfig: { url: 'http://me:pw@hook.example/a?b=c#d' } })).toEqual([
      [
        'webhooks[0].clientConfig.url',
        `Invalid value: "http": 'https' is the only allowed URL scheme${form}`,
      ],
      [
        'webhooks[0].clientConfig.url',
        'Invalid value: "me:pw": user information is not permitted in the URL',
      ],
      ['webhooks[0].clientConfig.url', 'Invalid value: "d": fragments are not permitted in the URL'],
      ['webhooks[0].clientConfig.url', 'Invalid value: "b=c": query parameters are not permitted in the URL'],
    ])
    expect(await faultsOf({ clientConfig: { url: 'https:///a' } })).toEqual([
      ['webhooks[0].clientConfig.url', `Invalid value: "": host must be provided${form}`],
    ])
    const service = { name: '', namespace: 'team', port: 0, path: 'no//slash' }
    expect(await faultsOf({ clientConfig: { service } })).toEqual([
      ['webhooks[0].clientConfig.service.name', 'Required value: service name is required'],
      [
        'webhooks[0].clientConfig.service.port',
        'Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
      ],
      ['webhooks[0].clientConfig.service.path', 'Invalid value: "no//slash": must start with a \'/\''],
      ['webhooks[0].clientConfig.service.path', 'Invalid value: "no//slash": segment[1] may not be empty'],
    ])
  })

  it('have conditions that compile, under names of their own', async () => {
    const faults = await faultsOf({
      matchConditions: [
        { name: 'one', expression: 'object.metadata.name ==' },
        { name: 'one', expression: '"text"' },
        { name: 'not a name', expression: 'true' },
      ],
    })
    expect(faults.map(([field]) => field)).toEqual([
      'webhooks[0].matchConditions[0].expression',
      'webhooks[0].matchConditions[1].expression',
      'webhooks[0].matchConditions[1].name',
      'webhooks[0].matchConditions[2].name',
    ])
    expect(faults[1]?.[1]).toBe('Invalid value: "\\"text\\"": must evaluate to bool')
    const many = Array.from({ length: 65 }, (_one, index) => ({ name: `c${index}`, expression: 'true' }))
    expect(await faultsOf({ matchConditions: many })).toEqual([
      ['webhooks[0].matchConditions', 'Too many: 65: must have at most 64 items'],
    ])
  })
})

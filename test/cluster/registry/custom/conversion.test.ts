import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Asked,
  certificatesFor,
  configuration,
  group as admissionGroup,
  patchAnswer,
  startWebhook,
  webhook,
  type WebhookServer,
} from '../../admission/webhooks/server.ts'
import { type Answer, type ApiOfKinds, causesOf, messageOf, startApi } from '../../http/kinds/cluster.ts'

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const group = 'convert.example'
const at = (version: string): string => `/apis/${group}/${version}/namespaces/default/hosts`

const version = (name: string, properties: object, more: object = {}): object => ({
  name,
  served: true,
  storage: false,
  schema: {
    openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
  },
  ...more,
})
const older = { hostPort: { type: 'string' } }
const newer = { host: { type: 'string' }, port: { type: 'integer' }, mode: { type: 'string', default: 'on' } }

/** `host:port` of v1beta1 is `host` and `port` in v1. */
function convert({ objects, desiredAPIVersion }: Asked): object {
  const convertedObjects = (objects as Record<string, unknown>[]).map((object) => {
    const { hostPort, host, port } = object['spec'] as { hostPort?: string; host?: string; port?: number }
    const [name = '', number = ''] = (hostPort ?? '').split(':')
    const spec =
      desiredAPIVersion === `${group}/v1`
        ? { host: name, port: Number(number) }
        : { hostPort: `${host}:${port}` }
    return { ...object, apiVersion: desiredAPIVersion, spec }
  })
  return { result: { status: 'Success' }, convertedObjects }
}

describe('conversion webhooks', () => {
  let api: ApiOfKinds
  let hook: WebhookServer
  let caBundle: string
  let certificates: Awaited<ReturnType<typeof certificatesFor>>

  const definition = (storage: string, conversion?: object): object => ({
    metadata: { name: `hosts.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'hosts', kind: 'Host' },
      versions: [
        version('v1beta1', older, {
          storage: storage === 'v1beta1',
          selectableFields: [{ jsonPath: '.spec.hostPort' }],
        }),
        version('v1', newer, {
          storage: storage === 'v1',
          subresources: { scale: { specReplicasPath: '.spec.port', statusReplicasPath: '.status.port' } },
          additionalPrinterColumns: [{ name: 'Host', type: 'string', jsonPath: '.spec.host' }],
        }),
      ],
      conversion: conversion ?? {
        strategy: 'Webhook',
        webhook: {
          conversionReviewVersions: ['v1'],
          clientConfig: { url: `${hook.url}/convert`, caBundle },
        },
      },
    },
  })
  const host = (name: string, spec: object, apiVersion = 'v1beta1'): object => ({
    apiVersion: `${group}/${apiVersion}`,
    kind: 'Host',
    metadata: { name },
    spec,
  })
  const served = (): Promise<void> =>
    expect.poll(async () => (await api.send('GET', at('v1'))).status, { timeout: 20_000 }).toBe(200)
  const items = ({ body }: Answer): unknown[] =>
    (body['items'] as { spec: unknown }[]).map(({ spec }) => spec)

  beforeAll(async () => {
    api = await startApi()
    certificates = await certificatesFor()
    caBundle = certificates.caBundle
  })
  afterAll(() => api.close())
  beforeEach(async () => {
    hook = await startWebhook(certificates, convert)
    expect((await api.send('POST', crds, definition('v1beta1'))).status).toBe(201)
    await served()
  })
  afterEach(async () => {
    await api.send('DELETE', `${crds}/hosts.${group}`)
    await expect
      .poll(async () => (await api.send('GET', `${crds}/hosts.${group}`)).status, { timeout: 20_000 })
      .toBe(404)
    await hook.close()
  })

  it('show objects in every version, and take them in any', async () => {
    expect((await api.send('POST', at('v1beta1'), host('a', { hostPort: 'one:1' }))).body).toMatchObject({
      apiVersion: `${group}/v1beta1`,
      spec: { hostPort: 'one:1' },
    })
    const made = await api.send('POST', at('v1'), host('b', { host: 'two', port: 2 }, 'v1'))
    expect(made.body).toMatchObject({ apiVersion: `${group}/v1`, spec: { host: 'two', port: 2, mode: 'on' } })
    // Controllers that watch the kind ask, too.
    expect(
      hook.reviews.find(({ request }) => request['desiredAPIVersion'] === `${group}/v1beta1`),
    ).toMatchObject({
      kind: 'ConversionReview',
      apiVersion: 'apiextensions.k8s.io/v1',
      request: {
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        objects: [
          { apiVersion: `${group}/v1`, kind: 'Host', metadata: { name: 'b' }, spec: { host: 'two' } },
        ],
      },
    })
    expect(new Set(hook.paths)).toEqual(new Set(['/convert?timeout=30s']))
    expect(items(await api.send('GET', at('v1beta1')))).toEqual([
      { hostPort: 'one:1' },
      { hostPort: 'two:2' },
    ])
    expect(items(await api.send('GET', at('v1')))).toEqual([
      { host: 'one', port: 1, mode: 'on' },
      { host: 'two', port: 2, mode: 'on' },
    ])
    expect((await api.send('GET', `${at('v1')}/a`)).body).toMatchObject({
      apiVersion: `${group}/v1`,
      metadata: { name: 'a', uid: expect.any(String) },
      spec: { host: 'one', port: 1 },
    })
    const selected = await api.send('GET', `${at('v1beta1')}?fieldSelector=spec.hostPort%3Dtwo:2`)
    expect(items(selected)).toEqual([{ hostPort: 'two:2' }])
  })

  it('carry changes of one version into the others', async () => {
    await api.send('POST', at('v1beta1'), host('a', { hostPort: 'one:1' }))
    const merge = { type: 'application/merge-patch+json' }
    const patched = await api.send('PATCH', `${at('v1')}/a`, { spec: { port: 9 } }, merge)
    expect(patched.body).toMatchObject({ metadata: { generation: 2 }, spec: { host: 'one', port: 9 } })
    expect((await api.send('GET', `${at('v1beta1')}/a`)).body).toMatchObject({ spec: { hostPort: 'one:9' } })
    const { resourceVersion } = patched.body['metadata'] as { resourceVersion: string }
    const same = await api.send('PATCH', `${at('v1')}/a`, { spec: { port: 9 } }, merge)
    expect(same.body).toMatchObject({ metadata: { resourceVersion } })
    const scaled = await api.send('PATCH', `${at('v1')}/a/scale`, { spec: { replicas: 7 } }, merge)
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 7 } })
    const applied = await api.send(
      'PATCH',
      `${at('v1')}/a?fieldManager=me&force=true`,
      host('a', { host: 'new', port: 7 }, 'v1'),
      { type: 'application/apply-patch+yaml' },
    )
    expect(applied.body).toMatchObject({ spec: { host: 'new', port: 7 } })
    expect((await api.send('GET', `${at('v1beta1')}/a`)).body).toMatchObject({ spec: { hostPort: 'new:7' } })
    expect((await api.send('DELETE', `${at('v1')}/a`)).status).toBe(200)
  })

  it('show changes to those who watch, as they come and as they were', async () => {
    const watched = async (from: string): Promise<Record<string, unknown>> =>
      (await api.send('GET', `${at('v1')}?watch=true&timeoutSeconds=1${from}`)).body
    const revision = async (): Promise<string> =>
      ((await api.send('GET', at('v1beta1'))).body['metadata'] as { resourceVersion: string }).resourceVersion
    const empty = await revision()
    await api.send('POST', at('v1beta1'), host('a', { hostPort: 'one:1' }))
    const object = { apiVersion: `${group}/v1`, metadata: { name: 'a' }, spec: { host: 'one', port: 1 } }
    expect(await watched('')).toMatchObject({ type: 'ADDED', object })
    expect(await watched(`&resourceVersion=${empty}`)).toMatchObject({ type: 'ADDED', object })
    const before = await revision()
    await api.send('DELETE', `${at('v1beta1')}/a`)
    expect(await watched(`&resourceVersion=${before}`)).toMatchObject({ type: 'DELETED', object })
    hook.answer = () => ({ result: { status: 'Failure', message: 'no idea' } })
    const last = await revision()
    await api.send('POST', at('v1beta1'), host('b', { hostPort: 'two:2' }))
    expect(await watched(`&resourceVersion=${last}`)).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 500, message: expect.stringMatching(/failed: no idea$/) },
    })
  })

  it('keep what was stored readable when another version is stored from then on', async () => {
    await api.send('POST', at('v1beta1'), host('old', { hostPort: 'one:1' }))
    const merge = { type: 'application/merge-patch+json' }
    const { spec } = definition('v1') as { spec: object }
    const changed = await api.send('PATCH', `${crds}/hosts.${group}`, { spec }, merge)
    expect(changed.body).toMatchObject({ status: { storedVersions: ['v1beta1', 'v1'] } })
    let made = 0
    // When the change has come round, what is written in v1 is converted no more.
    await expect
      .poll(
        async () => {
          const name = `new-${++made}`
          await api.send('POST', at('v1'), host(name, { host: 'two', port: 2 }, 'v1'))
          return hook.reviews.some(
            ({ request }) =>
              request['desiredAPIVersion'] === `${group}/v1beta1` && JSON.stringify(request).includes(name),
          )
        },
        { timeout: 20_000 },
      )
      .toBe(false)
    const all = async (one: string): Promise<unknown[]> => items(await api.send('GET', at(one)))
    expect(await all('v1')).toEqual(
      expect.arrayContaining([
        { host: 'two', port: 2, mode: 'on' },
        { host: 'one', port: 1, mode: 'on' },
      ]),
    )
    expect(await all('v1beta1')).toEqual(
      expect.arrayContaining([{ hostPort: 'two:2' }, { hostPort: 'one:1' }]),
    )
    expect(JSON.stringify((await api.send('GET', at('v1'))).body)).not.toContain('storedVersion')
  })

  it.each<[string, (asked: Asked) => object | undefined, RegExp]>([
    ['fail', () => ({ result: { status: 'Failure', message: 'no idea' } }), /failed: no idea$/],
    ['say nothing', () => ({}), /failed: response\.result\.status was '', not 'Success'$/],
    [
      'answer another request',
      (asked) => ({ ...convert(asked), uid: 'x' }),
      /failed: expected response\.uid="[0-9a-f-]+", got "x"$/,
    ],
    [
      'lose an object',
      () => ({ result: { status: 'Success' }, convertedObjects: [] }),
      /returned 0 objects, expected 1$/,
    ],
    [
      'rename an object',
      ({ objects }) => ({
        result: { status: 'Success' },
        convertedObjects: (objects as { metadata: object }[]).map((one) => ({
          ...one,
          apiVersion: `${group}/v1`,
          metadata: { ...one.metadata, name: 'other' },
        })),
      }),
      /returned invalid converted object at index 0: must have the same name: a != other$/,
    ],
    [
      'do nothing',
      ({ objects }) => ({ result: { status: 'Success' }, convertedObjects: objects }),
      /at index 0: invalid groupVersion \(expected convert\.example\/v1, received convert\.example\/v1beta1\)$/,
    ],
  ])('are told of when they %s', async (_what, answer, why) => {
    await api.send('POST', at('v1beta1'), host('a', { hostPort: 'one:1' }))
    hook.answer = answer
    const failed = await api.send('GET', `${at('v1')}/a`)
    expect(failed.status).toBe(500)
    expect(messageOf(failed)).toMatch(/^conversion webhook for convert\.example\/v1beta1, Kind=Host /)
    expect(messageOf(failed)).toMatch(why)
    hook.answer = convert
    expect((await api.send('GET', `${at('v1')}/a`)).status).toBe(200)
  })

  it('are asked by admission, too, when a webhook wants to see another version', async () => {
    const rule = { apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE'], resources: ['hosts'] }
    const change = await startWebhook(certificates, () =>
      patchAnswer([{ op: 'replace', path: '/spec/port', value: 5 }]),
    )
    try {
      const one = webhook('port.hooks.example', { url: change.url, caBundle }, { rules: [rule] })
      const mutating = `${admissionGroup}/mutatingwebhookconfigurations`
      await api.send('POST', mutating, configuration('Mutating', 'port', one))
      const made = await api.send('POST', at('v1beta1'), host('a', { hostPort: 'one:1' }))
      expect(made.body).toMatchObject({ apiVersion: `${group}/v1beta1`, spec: { hostPort: 'one:5' } })
      expect(change.reviews[0]?.request['object']).toMatchObject({
        apiVersion: `${group}/v1`,
        spec: { host: 'one', port: 1, mode: 'on' },
      })
      await api.send('DELETE', `${mutating}/port`)
    } finally {
      await change.close()
    }
  })

  it('must be where they can be found', async () => {
    const wrong = async (conversion: object): Promise<[string, string][]> =>
      causesOf(await api.send('POST', crds, definition('v1', conversion)))
    expect(await wrong({ strategy: 'Sometimes' })).toEqual([
      ['spec.conversion.strategy', 'Unsupported value: "Sometimes": supported values: "None", "Webhook"'],
    ])
    expect(await wrong({ strategy: 'Webhook' })).toEqual([
      ['spec.conversion.webhookClientConfig', 'Required value: required when strategy is set to Webhook'],
      ['spec.conversion.conversionReviewVersions', 'Required value'],
    ])
    const unused = { conversionReviewVersions: ['v1'], clientConfig: { url: hook.url } }
    expect(await wrong({ strategy: 'None', webhook: unused })).toEqual([
      [
        'spec.conversion.webhookClientConfig',
        'Forbidden: should not be set when strategy is not set to Webhook',
      ],
      [
        'spec.conversion.conversionReviewVersions',
        'Forbidden: should not be set when strategy is not set to Webhook',
      ],
    ])
  })
})

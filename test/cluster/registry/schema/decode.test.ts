import { describe, expect, it } from 'vitest'
import { schemaFor } from '../../../../src/cluster/registry/schema/builtin.ts'
import {
  decodeBody,
  decodeJson,
  type FieldValidation,
  type Target,
} from '../../../../src/cluster/registry/schema/decode.ts'
import { StatusError } from '../../../../src/kube/index.ts'

const target = (kind: string, group = '', version = 'v1'): Target => ({
  group,
  version,
  kind,
  schema: schemaFor(group, version, kind),
})
const configMap = target('ConfigMap')
const pod = target('Pod')

function messageOf(body: unknown, to: Target, validation: FieldValidation = 'Warn'): string {
  try {
    decodeJson(typeof body === 'string' ? body : JSON.stringify(body), to, validation)
  } catch (error) {
    if (error instanceof StatusError) return error.message
    throw error
  }
  return 'no error'
}

describe('decoding a built-in kind', () => {
  it('keeps a valid object as it is', () => {
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { l: '1' } },
      data: { x: '1', empty: '' },
    }
    expect(decodeJson(JSON.stringify(body), configMap, 'Strict')).toEqual({ object: body, warnings: [] })
  })

  it('takes kind and version from the path when the body leaves them out', () => {
    expect(messageOf({ metadata: { name: 'x' } }, configMap)).toBe('no error')
  })

  it('warns of unknown fields with their path and drops them', () => {
    const body = { kind: 'Pod', spec: { nonsense: true, containers: [{ name: 'a', ports: [{ prot: 1 }] }] } }
    const { object, warnings } = decodeJson(JSON.stringify(body), pod, 'Warn')
    expect(warnings).toEqual([
      'unknown field "spec.nonsense"',
      'unknown field "spec.containers[0].ports[0].prot"',
    ])
    expect(object).toEqual({ kind: 'Pod', spec: { containers: [{ name: 'a', ports: [{}] }] } })
  })

  it('refuses unknown and duplicate fields when asked to be strict', () => {
    expect(messageOf({ kind: 'Pod', spec: { nonsense: 1, more: 2 } }, pod, 'Strict')).toBe(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.nonsense", unknown field "spec.more"',
    )
    expect(messageOf('{"kind":"ConfigMap","data":{"a":"1","b":"x:\\"y","a":"2"}}', configMap, 'Strict')).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
    )
  })

  it('reports what is wrong in the order of the text', () => {
    const body = '{"kind":"ConfigMap","odd":1,"data":{"a":"1","a":"2"},"odder":{"b":1,"b":2}}'
    expect(decodeJson(body, configMap, 'Warn').warnings).toEqual([
      'unknown field "odd"',
      'duplicate field "data.a"',
      'unknown field "odder"',
    ])
  })

  it('says once of an unknown field that it is unknown, however often it comes', () => {
    const body = '{"kind":"ConfigMap","odd":1,"odd":{"b":1,"b":2},"data":{"a":"1","a":"2"}}'
    expect(decodeJson(body, configMap, 'Warn').warnings).toEqual([
      'unknown field "odd"',
      'duplicate field "data.a"',
    ])
  })

  it('reports the unknown fields of YAML in the order of their names, after all duplicates', async () => {
    const body =
      'kind: Pod\nunder: 1\nspec:\n  zeal: 1\n  hostname: a\n  hostname: b\n  containers:\n  - odd: 1\n  ' +
      '- even: 2\n  art: 1\n'
    const { warnings } = await decodeBody(body, pod, { validation: 'Warn', mediaType: 'application/yaml' })
    expect(warnings).toEqual([
      'line 6: key "hostname" already set in map',
      'unknown field "spec.art"',
      'unknown field "spec.containers[0].odd"',
      'unknown field "spec.containers[1].even"',
      'unknown field "spec.zeal"',
      'unknown field "under"',
    ])
  })

  it('says nothing of unknown fields when validation is off', () => {
    expect(decodeJson('{"nonsense":1,"nonsense":2}', configMap, 'Ignore')).toEqual({
      object: {},
      warnings: [],
    })
  })

  it.each([
    [{ data: { a: 1 } }, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    [
      { data: 'x' },
      'json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      { immutable: 'yes' },
      'json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool',
    ],
    [
      { metadata: { labels: { a: true } } },
      'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      { metadata: [] },
      'json: cannot unmarshal array into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
    ],
    [
      { metadata: { creationTimestamp: 'now' } },
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
    [{ binaryData: { a: '***' } }, 'illegal base64 data at input byte 0'],
  ])('refuses %j in the words of Go', (body, why) => {
    expect(messageOf({ apiVersion: 'v1', kind: 'ConfigMap', ...body }, configMap)).toBe(
      `ConfigMap in version "v1" cannot be handled as a ConfigMap: ${why}`,
    )
  })

  it.each([
    [
      { containers: [{ image: 1 }] },
      'json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
    ],
    [
      { containers: {} },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      { terminationGracePeriodSeconds: '30' },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64',
    ],
    [
      { priority: 1.5 },
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      { containers: [{ env: [{ name: 'A', value: 3 }] }] },
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      { containers: [{ image: 1, resources: { requests: { cpu: 'lots' } } }] },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      { containers: [{ livenessProbe: { httpGet: { port: true } } }] },
      'json: cannot unmarshal bool into Go value of type int32',
    ],
  ])('refuses the pod spec %j in the words of Go', (spec, why) => {
    expect(messageOf({ kind: 'Pod', spec }, pod)).toBe(
      `Pod in version "v1" cannot be handled as a Pod: ${why}`,
    )
  })

  it('drops nulls, and zero values that Go does not keep apart from absence', () => {
    const body = {
      metadata: { name: 'a', labels: {}, annotations: null, creationTimestamp: null },
      spec: {
        hostNetwork: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 0,
        nodeName: '',
        containers: [
          { name: '', args: [], command: ['a', null], env: [{ name: 'A', value: '' }], resources: {} },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    }
    expect(decodeJson(JSON.stringify(body), pod, 'Warn').object).toEqual({
      metadata: { name: 'a' },
      spec: {
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: '', command: ['a', ''], env: [{ name: 'A' }], resources: {} }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    })
  })

  it('writes quantities and times the one canonical way', () => {
    const body = {
      metadata: { creationTimestamp: '2026-01-02T03:04:05+02:00' },
      spec: { containers: [{ name: 'a', resources: { limits: { cpu: '1000m', memory: '1024Mi', x: 2 } } }] },
    }
    const { object } = decodeJson(JSON.stringify(body), pod, 'Warn')
    expect(object).toMatchObject({
      metadata: { creationTimestamp: '2026-01-02T01:04:05Z' },
      spec: { containers: [{ resources: { limits: { cpu: '1', memory: '1Gi', x: '2' } } }] },
    })
  })

  it('tells bodies of another kind from bodies of no kind', () => {
    expect(messageOf({ apiVersion: 'v1', kind: 'Secret' }, configMap)).toBe(
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    )
    expect(messageOf({ apiVersion: 'v1', kind: 'Nope' }, configMap)).toBe(
      'Nope in version "v1" cannot be handled as a ConfigMap: no kind "Nope" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    )
    expect(messageOf({ apiVersion: 'v1', kind: 'Event' }, target('Event', 'events.k8s.io'))).toBe(
      'the API version in the data (v1) does not match the expected API version (events.k8s.io/v1)',
    )
    expect(messageOf({ kind: 7 }, configMap)).toBe(
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":7})',
    )
  })

  it.each([
    ['not json', "invalid character 'o' in literal null (expecting 'u') (6e6f74206a736f6e)"],
    ['', 'unexpected end of JSON input (<empty>)'],
    ['{"a":1,}', `invalid character '}' looking for beginning of object key string ({"a":1,})`],
    ['{"a" 1}', `invalid character '1' after object key ({"a" 1})`],
    ['{"a":1 "b"', `invalid character '"' after object key:value pair ({"a":1 "b")`],
    ['[1 2]', "invalid character '2' after array element (5b3120325d)"],
    ['{} x', "invalid character 'x' after top-level value ({} x)"],
    ['{"a":01}', `invalid character '1' after object key:value pair ({"a":01})`],
    ['{"a":-}', `invalid character '}' in numeric literal ({"a":-})`],
    ['{"a":1.}', `invalid character '}' after decimal point in numeric literal ({"a":1.})`],
    ['{"a":"\n"}', `invalid character '\\n' in string literal ({"a":"\n"})`],
    ['{"a":"\\x"}', `invalid character 'x' in string escape code ({"a":"\\x"})`],
    ["{'a':1}", `invalid character '\\'' looking for beginning of object key string ({'a':1})`],
    [
      '{"a":"a rather long text that is cut off',
      'unexpected end of JSON input ({"a":"a rather long text that  ...)',
    ],
  ])('says of %j what Go says', (text, why) => {
    expect(messageOf(text, configMap)).toBe(
      `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ${why}`,
    )
  })

  it('refuses nesting that would overflow the stack', () => {
    const deep = `{"data":${'['.repeat(5000)}${']'.repeat(5000)}}`
    expect(messageOf(deep, configMap)).toContain('exceeded max depth')
  })

  it('reads YAML, with its booleans, and reports keys that are there twice', async () => {
    const body = 'kind: ConfigMap\nimmutable: yes\ndata:\n  a: "1"\n  a: "2"\n'
    const { object, warnings } = await decodeBody(body, configMap, {
      validation: 'Warn',
      mediaType: 'application/yaml',
    })
    expect(object).toEqual({ kind: 'ConfigMap', immutable: true, data: { a: '2' } })
    expect(warnings).toEqual(['line 5: key "a" already set in map'])
  })

  it('reports all keys that YAML has twice, those inside first, on the line where the later value begins', async () => {
    const body = [
      'data: {a: "1", a: "2", b: "1", b: "2"}',
      'metadata:',
      '  name: x',
      '  labels:',
      '    a: b',
      'metadata:',
      '  labels:',
      '    c: d',
      '    c: e',
      'nonsense: 1',
    ].join('\n')
    const lines = [
      'line 1: key "a" already set in map',
      'line 1: key "b" already set in map',
      'line 9: key "c" already set in map',
      'line 7: key "metadata" already set in map',
    ]
    const mediaType = 'application/yaml'
    const { warnings } = await decodeBody(body, configMap, { validation: 'Warn', mediaType })
    expect(warnings).toEqual([...lines, 'unknown field "nonsense"'])
    await expect(decodeBody(body, configMap, { validation: 'Strict', mediaType })).rejects.toThrow(
      `strict decoding error: yaml: unmarshal errors:\n${lines.map((line) => `  ${line}`).join('\n')}, unknown field "nonsense"`,
    )
  })

  it.each([
    [
      '{"spec":{"activeDeadlineSeconds":5.0}}',
      'number 5.0 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64',
    ],
    ['{"spec":{"priority":5e0}}', 'number 5e0 into Go struct field PodSpec.spec.priority of type int32'],
    [
      '{"spec":{"containers":[{"livenessProbe":{"tcpSocket":{"port":8.0}}}]}}',
      'number 8.0 into Go value of type int32',
    ],
    [
      '{"spec":{"priority":9007199254740993}}',
      'number 9007199254740993 into Go struct field PodSpec.spec.priority of type int32',
    ],
    ['{"metadata":{"name":1.5}}', 'number into Go struct field ObjectMeta.metadata.name of type string'],
  ])('reads integers digit by digit: %s', (text, why) => {
    expect(messageOf(text, target('Pod'))).toContain(`json: cannot unmarshal ${why}`)
  })

  it('reads quantities from what is written, and numbers of free form as numbers', () => {
    const cpu =
      '{"spec":{"containers":[{"image":"x:1.5","resources":{"limits":{"a":1e3,"b":1.50,"c":1.0,"d":3}}}]}}'
    const { object } = decodeJson(cpu, target('Pod'), 'Strict')
    expect(object['spec']).toMatchObject({
      containers: [{ image: 'x:1.5', resources: { limits: { a: '1e3', b: '1500m', c: '1', d: '3' } } }],
    })
    const revision = decodeJson(
      '{"data":{"a":[1.5,{"b":1e3}],"c":9007199254740993},"revision":1}',
      target('ControllerRevision', 'apps'),
      'Strict',
    )
    expect(revision.object['data']).toEqual({ a: [1.5, { b: 1000 }], c: 9007199254740992 })
  })

  it('keeps a data key called __proto__ as data', () => {
    const { object } = decodeJson('{"data":{"__proto__":"x","constructor":"y"}}', configMap, 'Warn')
    expect(JSON.stringify(object)).toBe('{"data":{"__proto__":"x","constructor":"y"}}')
    expect(Object.getPrototypeOf(object['data'])).toBe(Object.prototype)
  })

  it('keeps schemas inside a CRD, whose additional properties may be a schema or a boolean', () => {
    const crd = target('CustomResourceDefinition', 'apiextensions.k8s.io')
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'object', additionalProperties: false },
        b: { type: 'object', additionalProperties: { type: 'string', odd: 1 } },
        c: { type: 'integer', default: 0, minimum: 0 },
      },
    }
    const body = {
      spec: { versions: [{ name: 'v1', served: true, storage: false, schema: { openAPIV3Schema: schema } }] },
    }
    const { object, warnings } = decodeJson(JSON.stringify(body), crd, 'Warn')
    expect(warnings).toEqual([
      'unknown field "spec.versions[0].schema.openAPIV3Schema.properties.b.additionalProperties.odd"',
    ])
    expect(JSON.stringify(object)).toContain('"additionalProperties":false')
    expect(JSON.stringify(object)).toContain('"default":0,"minimum":0')
  })
})

describe('decoding a custom resource', () => {
  const trainJob: Target = {
    group: 'kubeflow.example',
    version: 'v1',
    kind: 'TrainJob',
    isCustom: true,
    schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            image: { type: 'string' },
            workers: { type: 'integer', default: 2 },
            template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    },
  }
  const job = (spec: object, more: object = {}): object => ({
    apiVersion: 'kubeflow.example/v1',
    kind: 'TrainJob',
    metadata: { name: 'a' },
    spec,
    ...more,
  })

  it('prunes, fills in defaults and warns', () => {
    const body = job({ image: 'tf', unknown: 1, template: { anything: { goes: true } } })
    expect(decodeJson(JSON.stringify(body), trainJob, 'Warn')).toEqual({
      object: job({ image: 'tf', workers: 2, template: { anything: { goes: true } } }),
      warnings: ['unknown field "spec.unknown"'],
    })
  })

  it('is strict when asked to be', () => {
    expect(messageOf(job({ typo: 1 }), trainJob, 'Strict')).toBe(
      'TrainJob in version "v1" cannot be handled as a TrainJob: strict decoding error: unknown field "spec.typo"',
    )
  })

  it('refuses another version and another kind', () => {
    expect(messageOf(job({}, { apiVersion: 'kubeflow.example/v2' }), trainJob)).toBe(
      'the API version in the data (kubeflow.example/v2) does not match the expected API version (kubeflow.example/v1)',
    )
    expect(messageOf(job({}, { kind: 'Other' }), trainJob)).toBe(
      'TrainJob.kubeflow.example "a" is invalid: kind: Invalid value: "Other": must be TrainJob',
    )
  })
})

import { describe, expect, it } from 'vitest'
import {
  applyPatch,
  checkPatchOptions,
  type ParsedPatch,
  parsePatch,
  patchKind,
} from '../../../../src/cluster/registry/patch/index.ts'
import { schemaFor } from '../../../../src/cluster/registry/schema/builtin.ts'
import type { FieldValidation } from '../../../../src/cluster/registry/schema/index.ts'
import { type Json, type JsonObject, type KubeObject, StatusError } from '../../../../src/kube/index.ts'

const resource = (kind: string) => ({
  group: '',
  version: 'v1',
  kind,
  schema: schemaFor('', 'v1', kind),
  hasStatus: false,
})
const configMaps = resource('ConfigMap')
const pods = resource('Pod')

const configMap = (): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', labels: { l: '1' } },
  data: { x: '1', y: '2' },
})
const pod = (spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec })

async function patched(
  kind: ParsedPatch['is'],
  body: unknown,
  to: { resource: typeof pods; object: KubeObject; validation?: FieldValidation },
): Promise<{ object: KubeObject; warnings: readonly string[] }> {
  const validation = to.validation ?? 'Warn'
  const patch = await parsePatch(kind, typeof body === 'string' ? body : JSON.stringify(body), validation)
  return applyPatch(patch, to.object, { resource: to.resource, manager: 'm', now: 0, validation })
}

async function refused(action: Promise<unknown>): Promise<{ code: number; message: string }> {
  try {
    await action
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a merge patch', () => {
  const to = (validation: FieldValidation = 'Warn') => ({
    resource: configMaps,
    object: configMap(),
    validation,
  })

  it('sets, and removes what it says is null', async () => {
    const { object } = await patched('merge', { data: { x: '9', y: null, z: '3' } }, to())
    expect(object['data']).toEqual({ x: '9', z: '3' })
  })

  it('warns of unknown and duplicate fields, or refuses them', async () => {
    const body = '{"nonsense":1,"data":{"x":"2","x":"3"}}'
    expect((await patched('merge', body, to())).warnings).toEqual([
      'duplicate field "data.x"',
      'unknown field "nonsense"',
    ])
    const { code, message } = await refused(patched('merge', '{"nonsense":1}', to('Strict')))
    expect(code).toBe(422)
    expect(message).toMatch(
      /^ "" is invalid: patch: Invalid value: ".*nonsense.*": strict decoding error: unknown field "nonsense"$/,
    )
  })

  it('is refused when it makes a value of a wrong type, or is no object', async () => {
    expect((await refused(patched('merge', { data: { x: 1 } }, to()))).message).toContain(
      'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    )
    expect(await refused(patched('merge', [], to()))).toEqual({
      code: 400,
      message:
        'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    })
    expect(await refused(patched('merge', '{', to()))).toEqual({
      code: 400,
      message: 'error decoding patch: unexpected end of JSON input',
    })
  })

  it('leaves prototypes alone', async () => {
    const { object } = await patched('merge', '{"data":{"__proto__":"x","constructor":null}}', to())
    expect(JSON.stringify(object['data'])).toBe('{"x":"1","y":"2","__proto__":"x"}')
  })
})

describe('a JSON patch', () => {
  const to = () => ({ resource: configMaps, object: configMap() })

  it('is warned about when its operations have members that are unknown or there twice', async () => {
    const body =
      '[{"op":"add","path":"/data/p","value":"1","foo":"bar"},{"op":"add","path":"/data/q","path":"/data/r","value":"1"}]'
    expect((await patched('json', body, to())).warnings).toEqual([
      'json patch unknown field "[0].foo"',
      'json patch duplicate field "[1].path"',
    ])
  })

  it('carries out its operations', async () => {
    const { object } = await patched(
      'json',
      [
        { op: 'test', path: '/data/x', value: '1' },
        { op: 'add', path: '/data/n', value: '5' },
        { op: 'remove', path: '/data/y' },
        { op: 'move', from: '/data/x', path: '/data/a~1b' },
      ],
      to(),
    )
    expect(object['data']).toEqual({ n: '5', 'a/b': '1' })
  })

  it('counts negative indices from the end, and takes an absent member for null', async () => {
    const object: KubeObject = { ...configMap(), metadata: { name: 'a', finalizers: ['x/a', 'x/b'] } }
    const finalizers = async (operations: JsonObject[]): Promise<unknown> =>
      (await patched('json', operations, { resource: configMaps, object })).object.metadata.finalizers
    expect(await finalizers([{ op: 'remove', path: '/metadata/finalizers/-1' }])).toEqual(['x/a'])
    expect(await finalizers([{ op: 'add', path: '/metadata/finalizers/-1', value: 'x/c' }])).toEqual([
      'x/a',
      'x/b',
      'x/c',
    ])
    expect(await finalizers([{ op: 'test', path: '/metadata/labels', value: null }])).toEqual(['x/a', 'x/b'])
    expect((await refused(finalizers([{ op: 'remove', path: '/metadata/finalizers/-3' }]))).code).toBe(422)
  })

  it.each<[string, Json]>([
    ['the path is absent', [{ op: 'remove', path: '/data/absent' }]],
    ['a test fails', [{ op: 'test', path: '/data/x', value: '9' }]],
    ['the operation is unknown', [{ op: 'frob', path: '/data/x' }]],
    ['the prototype is meant', [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
    ['an inherited member is meant', [{ op: 'add', path: '/data/toString/polluted', value: 1 }]],
    ['an inherited member is copied', [{ op: 'copy', from: '/data/toString', path: '/data/z' }]],
    ['the object is replaced by a scalar', [{ op: 'replace', path: '', value: 1 }]],
    ['an operation is null', [null]],
    ['the object is moved into itself', [{ op: 'move', from: '', path: '/data/x' }]],
    ['a part is moved into itself', [{ op: 'move', from: '/data', path: '/data/x' }]],
    ['a copy of the whole is put into it', [{ op: 'copy', from: '', path: '/data/x' }]],
  ])('is refused without a word on why when %s', async (_why, operations) => {
    expect(await refused(patched('json', operations, to()))).toEqual({
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    })
    expect(({} as JsonObject)['polluted']).toBeUndefined()
    expect(Object.prototype.toString).not.toHaveProperty('polluted')
  })

  it('is refused when it is no list, or too long', async () => {
    expect((await refused(patched('json', {}, to()))).message).toBe(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    )
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/x', value: '1' }))
    expect(await refused(patched('json', many, to()))).toEqual({
      code: 413,
      message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
    })
  })
})

describe('a strategic merge patch', () => {
  const live = (): KubeObject =>
    pod({
      containers: [
        {
          name: 'a',
          image: '1',
          command: ['x'],
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
        { name: 'b', image: '2' },
      ],
      volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
      tolerations: [{ key: 'k' }],
    })
  const spec = async (patch: JsonObject): Promise<unknown> =>
    (await patched('strategic', { spec: patch }, { resource: pods, object: live() })).object['spec']

  it('merges lists by their key and replaces the others', async () => {
    expect(
      await spec({
        containers: [
          { name: 'b', image: '3' },
          { name: 'c', image: '4' },
          { name: 'a', command: ['y'], env: [{ name: 'B', value: '9' }] },
        ],
        tolerations: [{ key: 'other' }],
      }),
    ).toMatchObject({
      containers: [
        { name: 'b', image: '3' },
        { name: 'c', image: '4' },
        {
          name: 'a',
          image: '1',
          command: ['y'],
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '9' },
          ],
        },
      ],
      tolerations: [{ key: 'other' }],
    })
  })

  it('deletes items, replaces lists and maps by directive', async () => {
    expect(await spec({ containers: [{ name: 'a', $patch: 'delete' }] })).toMatchObject({
      containers: [{ name: 'b' }],
    })
    expect(await spec({ containers: [{ $patch: 'replace' }, { name: 'z', image: 'i' }] })).toMatchObject({
      containers: [{ name: 'z', image: 'i' }],
    })
    expect(
      await spec({ volumes: [{ name: 'v', emptyDir: { $patch: 'replace', sizeLimit: '1Gi' } }] }),
    ).toMatchObject({
      volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }],
    })
  })

  it('retains only the keys named, to change the member of a union', async () => {
    expect(
      await spec({ volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] }),
    ).toMatchObject({ volumes: [{ name: 'v', configMap: { name: 'c' } }] })
  })

  it('orders a list as told', async () => {
    expect(
      await spec({
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
        containers: [{ name: 'a', image: '9' }],
      }),
    ).toMatchObject({ containers: [{ name: 'b' }, { name: 'a', image: '9' }] })
    expect(
      await spec({
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
        containers: [{ name: 'c', image: '9' }],
      }),
    ).toMatchObject({ containers: [{ name: 'c' }, { name: 'a' }, { name: 'b' }] })
  })

  it('merges and trims lists of scalars', async () => {
    const object: KubeObject = { ...configMap(), metadata: { name: 'a', finalizers: ['x/a', 'x/b'] } }
    const finalizers = async (metadata: JsonObject): Promise<unknown> =>
      (await patched('strategic', { metadata }, { resource: configMaps, object })).object.metadata.finalizers
    expect(await finalizers({ finalizers: ['x/c', 'x/a'] })).toEqual(['x/c', 'x/a', 'x/b'])
    expect(await finalizers({ '$deleteFromPrimitiveList/finalizers': ['x/a'] })).toEqual(['x/b'])
    expect(await finalizers({ finalizers: null })).toBeUndefined()
  })

  it('drops nulls and directives from what is new', async () => {
    expect(
      await spec({
        affinity: { nodeAffinity: null, podAffinity: { $patch: 'replace' } },
        containers: [{ name: 'n', image: null, $retainKeys: ['name'] }],
      }),
    ).toMatchObject({
      affinity: { podAffinity: {} },
      containers: [{ name: 'n' }, { name: 'a' }, { name: 'b' }],
    })
  })

  it('says what is wrong with a directive or an item', async () => {
    const why = (patch: JsonObject): Promise<{ code: number; message: string }> => refused(spec(patch))
    expect(await why({ containers: [{ image: 'x' }] })).toEqual({
      code: 500,
      message: 'map: map[image:x] does not contain declared merge key: name',
    })
    expect(await why({ containers: [{ name: 'a', $patch: 'frob' }] })).toMatchObject({ code: 500 })
    expect(await why({ $retainKeys: 'x' })).toEqual({
      code: 400,
      message: 'invalid patch format of retainKeys',
    })
    expect(await why({ $retainKeys: ['a'], hostname: 'x' })).toMatchObject({ code: 422 })
    expect(await why({ hostname: 5 })).toEqual({
      code: 422,
      message:
        ' "" is invalid: patch: Invalid value: "map[spec:map[hostname:5]]": cannot convert int64 to string',
    })
  })
})

describe('the kind of a patch', () => {
  it('follows from the content type', () => {
    expect(patchKind('application/json-patch+json; charset=utf-8', { isCustom: true })).toBe('json')
    expect(patchKind('application/strategic-merge-patch+json', { isCustom: false })).toBe('strategic')
    expect(() => patchKind('application/json', { isCustom: false })).toThrow('415: Unsupported Media Type')
    expect(() => patchKind('application/strategic-merge-patch+json', { isCustom: true })).toThrow(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    )
  })

  it('decides which options there must and must not be', () => {
    expect(() => checkPatchOptions('apply', {})).toThrow(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )
    expect(() => checkPatchOptions('merge', { force: true })).toThrow(
      'force: Forbidden: may not be specified for non-apply patch',
    )
    expect(() => checkPatchOptions('apply', { fieldManager: 'x', force: true })).not.toThrow()
  })
})

import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  applyPatch,
  type ParsedPatch,
  parsePatch,
  updateManagedFields,
} from '../../../../src/cluster/registry/patch/index.ts'
import { schemaFor } from '../../../../src/cluster/registry/schema/builtin.ts'
import { decodeBody } from '../../../../src/cluster/registry/schema/decode.ts'
import type { Schema } from '../../../../src/cluster/registry/schema/index.ts'
import { type Json, type JsonObject, type KubeObject, StatusError } from '../../../../src/kube/index.ts'

const resource = (kind: string, group = '') => ({
  group,
  version: 'v1',
  kind,
  schema: schemaFor(group, 'v1', kind),
  hasStatus: false,
})
const pods = resource('Pod')
const configMaps = resource('ConfigMap')
const crds = resource('CustomResourceDefinition', 'apiextensions.k8s.io')
const jobs = {
  group: 'example.com',
  version: 'v1',
  kind: 'Job',
  hasStatus: true,
  isCustom: true,
  schema: {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: {
          containers: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: {
              type: 'object',
              properties: { name: { type: 'string', default: 'x' }, image: { type: 'string' } },
            },
          },
        },
      },
    },
  } satisfies Schema,
}
const targets = [pods, configMaps, crds, jobs]

/** Names that mean something to a kind, to a directive, or to JavaScript. */
const key = fc.constantFrom(
  ...'metadata spec data name labels annotations finalizers containers env value image ports containerPort volumes resources limits cpu immutable managedFields apiVersion kind versions schema openAPIV3Schema properties items additionalProperties x'.split(
    ' ',
  ),
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$deleteFromPrimitiveList/finalizers',
  '.',
  'f:x',
)
const scalar = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    2 ** 40,
    '',
    'a',
    'b',
    'v1',
    '1Gi',
    '500m',
    'delete',
    'replace',
    'merge',
  ),
  fc.string({ maxLength: 8 }),
)
const { value } = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 5 })
    // Unlike a literal, this makes an own property of "__proto__", as JSON.parse does.
    .map((pairs) => Object.fromEntries(pairs)),
}))
const body = fc
  .array(fc.tuple(key, value), { maxLength: 6 })
  .map((pairs): JsonObject => Object.fromEntries(pairs))

function live(of: (typeof targets)[number]): KubeObject {
  return {
    apiVersion: of.group === '' ? of.version : `${of.group}/${of.version}`,
    kind: of.kind,
    metadata: { name: 'a', uid: 'u', finalizers: ['x/a'], labels: { a: 'b' } },
    ...(of === configMaps
      ? { data: { a: '1' } }
      : { spec: { containers: [{ name: 'a', image: 'i', env: [{ name: 'A', value: '1' }] }] } }),
  }
}

/** Runs what may be refused but must not fail in any other way, nor reach the prototypes. */
async function survives(action: () => unknown): Promise<void> {
  const before = Object.getOwnPropertyNames(Object.prototype).length
  try {
    await action()
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(before)
  expect(({} as JsonObject)['polluted']).toBeUndefined()
}

const validation = fc.constantFrom('Ignore' as const, 'Warn' as const, 'Strict' as const)
const target = fc.constantFrom(...targets)
const runs = { numRuns: 200 }
// Hundreds of runs take their time on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 60_000 })

describe('whatever a client sends', () => {
  it('is decoded or refused', () =>
    fc.assert(
      fc.asyncProperty(target, body, validation, (to, sent, how) =>
        survives(() => decodeBody(JSON.stringify(sent), to, { validation: how })),
      ),
      runs,
    ))

  it('is decoded or refused as a text of any kind', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 60 }),
          fc.string({ unit: fc.constantFrom(...'{}[]:,"\\ \n-0.e+tfnu&*!|>#%@`~'), maxLength: 40 }),
          fc.json(),
        ),
        fc.constantFrom('application/json', 'application/yaml'),
        (text, mediaType) => survives(() => decodeBody(text, configMaps, { validation: 'Warn', mediaType })),
      ),
      runs,
    ))

  it('is refused when its nesting is bottomless', async () => {
    for (const open of ['[', '{"a":', '[{"spec":'])
      for (const mediaType of ['application/json', 'application/yaml'])
        await survives(() => decodeBody(open.repeat(200_000), configMaps, { validation: 'Warn', mediaType }))
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    for (const kind of ['json', 'merge', 'strategic', 'apply'] as const)
      await survives(() => parsePatch(kind, deep, 'Warn'))
    await survives(() =>
      decodeBody(
        `a: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*${i === 0 ? 'a' : `b${i - 1}`}, *${i === 0 ? 'a' : `b${i - 1}`}]`).join('\n')}\n`,
        configMaps,
        {
          validation: 'Warn',
          mediaType: 'application/yaml',
        },
      ),
    )
  })

  it('is applied as a patch of any kind or refused', () =>
    fc.assert(
      fc.asyncProperty(
        target,
        body,
        fc.constantFrom('merge' as const, 'strategic' as const, 'apply' as const),
        validation,
        (to, patch, kind, how) =>
          survives(async () => {
            const apiVersion = live(to).apiVersion ?? ''
            const sent = kind === 'apply' ? { ...patch, apiVersion, kind: to.kind } : patch
            const parsed = await parsePatch(kind, JSON.stringify(sent), how)
            const now = 0
            const { object } = applyPatch(parsed, live(to), {
              resource: to,
              manager: 'm',
              validation: how,
              now,
              force: true,
            })
            if (kind !== 'apply') updateManagedFields(object, live(to), { resource: to, manager: 'm', now })
            JSON.stringify(object)
          }),
      ),
      runs,
    ))

  it('is carried out as a JSON patch or refused', () => {
    const path = fc
      .array(fc.oneof(key, fc.constantFrom('0', '1', '-', '-1', '01')), { maxLength: 4 })
      .map((keys) => keys.map((each) => `/${each.replaceAll('/', '~1')}`).join(''))
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path,
        from: path,
        value,
      },
      { requiredKeys: ['op', 'path'] },
    )
    return fc.assert(
      fc.asyncProperty(target, fc.array(operation, { maxLength: 4 }), (to, operations) =>
        survives(async () => {
          const parsed = await parsePatch('json', JSON.stringify(operations), 'Warn')
          applyPatch(parsed, live(to), { resource: to, manager: 'm', validation: 'Warn', now: 0 })
        }),
      ),
      runs,
    )
  })
})

describe('server-side apply', () => {
  const names = fc.constantFrom('a', 'b', 'c')
  const container = fc.record(
    {
      image: fc.constantFrom('1', '2'),
      command: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 }),
      env: fc.uniqueArray(fc.record({ name: names, value: fc.constantFrom('1', '2') }), {
        selector: ({ name }) => name,
        minLength: 1,
      }),
    },
    { requiredKeys: [] },
  )
  const config = fc
    .record(
      {
        labels: fc.dictionary(names, fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 3 }),
        finalizers: fc.uniqueArray(fc.constantFrom('x/a', 'x/b'), { minLength: 1 }),
        containers: fc.uniqueArray(fc.tuple(names, container), { selector: ([name]) => name, minLength: 1 }),
        nodeSelector: fc.dictionary(names, fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 2 }),
      },
      { requiredKeys: [] },
    )
    .map(({ labels, finalizers, containers, nodeSelector }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', ...(labels && { labels }), ...(finalizers && { finalizers }) },
      ...((containers ?? nodeSelector) && {
        spec: {
          ...(containers && { containers: containers.map(([name, rest]) => ({ name, ...rest })) }),
          ...(nodeSelector && { nodeSelector }),
        },
      }),
    }))

  let now = 0
  function apply(current: KubeObject | undefined, sent: object, manager: string, force = true): KubeObject {
    now += 1000
    const patch: ParsedPatch = { is: 'apply', value: structuredClone(sent) as JsonObject, faults: [] }
    return applyPatch(patch, structuredClone(current), {
      resource: pods,
      manager,
      validation: 'Warn',
      now,
      force,
    }).object
  }
  const withoutOwners = ({
    metadata: { managedFields: _owners, ...metadata },
    ...rest
  }: KubeObject): object => ({
    ...rest,
    metadata,
  })

  it('changes nothing when done again', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const once = apply(apply(undefined, first, 'one'), second, 'two')
        expect(apply(once, second, 'two')).toEqual(once)
      }),
      runs,
    )
  })

  it('never meets a conflict when forced, nor after it was', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const forced = apply(apply(undefined, first, 'one'), second, 'two')
        expect(() => apply(forced, second, 'two', false)).not.toThrow()
      }),
      runs,
    )
  })

  it('leaves what the last applier asked for in place', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const result = apply(apply(undefined, first, 'one'), second, 'two')
        expect(withoutOwners(result)).toEqual(withoutOwners(apply(result, second, 'two')))
        for (const [name, label] of Object.entries(second.metadata.labels ?? {}))
          expect(result.metadata.labels?.[name]).toBe(label)
      }),
      runs,
    )
  })

  it('undoes all when its only manager lets go of everything', () => {
    fc.assert(
      fc.property(config, (sent) => {
        const bare = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }
        expect(apply(apply(undefined, sent, 'one'), bare, 'one')).toEqual(bare)
      }),
      runs,
    )
  })

  it('gives every field that was applied an owner, and only fields that are there', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const result = apply(apply(undefined, first, 'one'), second, 'two')
        // What nobody claims any more is gone: applying the union of what is there by one manager adds nothing.
        const all = withoutOwners(result)
        expect(withoutOwners(apply(result, all, 'three'))).toEqual(all)
      }),
      runs,
    )
  })
})

import {
  type CustomResourceDefinition,
  type KubeClient,
  type KubeObject,
  kinds,
  type Persisted,
  type ResourceType,
  StatusError,
} from '../../src/kube/index.ts'
import { isConnectionEnd } from './connection-end.ts'
import type { Ledger } from './ledger.ts'

export const namespace = 'default'
export const labels = { crash: 'yes' }
/** Where every object of the load carries what was last written. */
export const valueAnnotation = 'crash.example.com/value'

type Change = 'replace' | 'merge' | 'apply'

/** One kind of object under load. */
export interface LoadedKind {
  readonly type: ResourceType<KubeObject>
  readonly writers: number
  readonly changes: readonly Change[]
  /** All of a new object but metadata. */
  body(name: string): object
  /** By what its name must end, for kinds that ask for that. */
  readonly suffix?: string
}

const group = 'crash.example.com'

function definition(plural: string, kind: string): CustomResourceDefinition['spec'] {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    group,
    scope: 'Namespaced',
    names: { plural, singular: kind.toLowerCase(), kind },
    versions: [{ name: 'v1', served: true, storage: true, schema }],
  }
}

const things: ResourceType<KubeObject> = {
  group,
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
}

/** The kinds' own shapes do not matter here: all that is read of them is metadata. */
function plain(type: ResourceType<unknown>): ResourceType<KubeObject> {
  return type as ResourceType<KubeObject>
}

export const loadedKinds: readonly LoadedKind[] = [
  {
    type: plain(kinds.configMaps),
    writers: 4,
    changes: ['merge', 'replace', 'apply'],
    body: (name) => ({ data: { of: name } }),
  },
  { type: things, writers: 3, changes: ['apply', 'merge', 'replace'], body: (name) => ({ spec: { name } }) },
  { type: plain(kinds.serviceAccounts), writers: 2, changes: ['merge', 'apply'], body: () => ({}) },
  { type: plain(kinds.namespaces), writers: 1, changes: ['merge', 'apply'], body: () => ({}) },
  {
    type: plain(kinds.customResourceDefinitions),
    writers: 1,
    changes: ['merge'],
    suffix: `.${group}`,
    body: (name) => {
      const plural = name.slice(0, name.indexOf('.'))
      return { spec: definition(plural, `${plural.toUpperCase()}Kind`) }
    },
  },
  {
    type: plain(kinds.jobs),
    writers: 1,
    changes: ['merge', 'apply'],
    body: () => ({
      spec: {
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] } },
      },
    }),
  },
]

/** Makes the kind whose objects are under load. */
export async function defineThings(client: KubeClient): Promise<void> {
  const spec = definition('things', 'Thing')
  await client.create(kinds.customResourceDefinitions, { metadata: { name: `things.${group}` }, spec })
  for (;;) {
    try {
      await client.list(things, { namespace })
      return
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.code !== 404) throw error
    }
  }
}

export function keyOf(type: ResourceType<unknown>, name: string): string {
  return `${type.plural}/${name}`
}

const objectsPerWriter = 6

/** Tokens that were acknowledged, by the uid of their account. */
export type Tokens = Map<string, { readonly name: string; readonly token: string }>

export interface Load {
  readonly client: KubeClient
  readonly ledger: Ledger
  readonly tokens: Tokens
  readonly round: number
}

/** Creates, changes and removes objects of its own until the server dies. */
export async function write(load: Load, loaded: LoadedKind, writer: number): Promise<void> {
  const { client, ledger, round } = load
  const { type } = loaded
  for (let step = 0; ; step++) {
    const name = `w${writer}o${step % objectsPerWriter}${loaded.suffix ?? ''}`
    const key = keyOf(type, name)
    const held = ledger.valueOf(key)
    const value = `${round}.${step}`
    const isRemoval = held !== undefined && step % 5 === 4
    ledger.begin(key, isRemoval ? undefined : value)
    try {
      if (isRemoval) {
        await client.delete(type, at(type, name), { propagationPolicy: 'Background' })
        ledger.acknowledge(key, undefined, undefined)
      } else {
        const change =
          held === undefined ? 'create' : (loaded.changes[step % loaded.changes.length] ?? 'merge')
        const written = await writeBy(load, loaded, { change, name, value })
        ledger.acknowledge(key, value, Number(written.metadata.resourceVersion))
        await followUp(load, type, written)
      }
    } catch (error) {
      if (error instanceof StatusError) ledger.refuse(key)
      else if (isConnectionEnd(error)) return
      else throw error
    }
  }
}

function at(type: ResourceType<unknown>, name: string): { name: string; namespace?: string } {
  return type.namespaced ? { name, namespace } : { name }
}

type Written = Persisted<KubeObject>

async function writeBy(
  { client }: Load,
  { type, body }: LoadedKind,
  { change, name, value }: { change: Change | 'create'; name: string; value: string },
): Promise<Written> {
  const annotations = { [valueAnnotation]: value }
  const object = { metadata: { name, labels, annotations }, ...body(name) }
  const where = at(type, name)
  switch (change) {
    case 'create':
      return client.create(type, object, where.namespace === undefined ? {} : { namespace })
    case 'merge':
      return client.patch(type, where, { type: 'merge', patch: { metadata: { annotations } } })
    case 'apply': {
      const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
      const whole = { apiVersion, kind: type.kind, ...object }
      return client.patch(
        type,
        where,
        { type: 'apply', object: whole },
        { fieldManager: 'crash', force: true },
      )
    }
    case 'replace':
      return client.replace(type, where, object)
  }
}

/** What hangs on an object: a token of an account, an object within a namespace. */
async function followUp(
  { client, tokens }: Load,
  type: ResourceType<unknown>,
  object: Written,
): Promise<void> {
  const { name, uid } = object.metadata
  if (type.plural === 'serviceaccounts') {
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
    const answer = await client.createSub<{ status: { token: string } }>(
      type,
      { namespace, name },
      'token',
      request,
    )
    tokens.set(uid, { name, token: answer.status.token })
  }
  if (type.plural === 'namespaces')
    await client
      .create(kinds.configMaps, { metadata: { generateName: 'inside-' } }, { namespace: name })
      .catch((error: unknown) => {
        if (!(error instanceof StatusError)) throw error
      })
}

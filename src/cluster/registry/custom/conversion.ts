import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from 'kubernetes-types/apiextensions/v1.js'
import type { JsonObject, KubeObject } from '../../../kube/index.ts'
import { plainFailure } from '../plain-failure.ts'
import type { ResourceDefinition } from '../resource.ts'
import type { Schema } from '../schema/schema.ts'
import { applyDefaults, prune } from '../schema/structural.ts'
import type { WebhookCaller } from '../webhooks/index.ts'
import { convertedBy, type Converter } from './conversion-review.ts'

/** Calls the webhooks that convert, until the signal. */
export interface Conversions {
  readonly caller: WebhookCaller
  readonly signal: AbortSignal
}

/** Under this name an object in the store tells its version, when it is not that in which the first ones were stored. */
const marker = '.storedVersion'
/** Objects that one call converts at most. */
const mostAtOnce = 200

/** How the objects of one version of a CRD become those of the store, and back. */
export function conversionOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  schema: Schema,
  conversions: Conversions,
): Pick<ResourceDefinition, 'convert' | 'conversion'> {
  const { versions, conversion } = crd.spec
  const webhook = conversion?.strategy === 'Webhook' ? conversion.webhook : undefined
  // Objects written by another version, or before the schema changed, are brought into this version's form.
  const isReshaped = versions.length > 1 || (crd.metadata?.generation ?? 1) > 1
  if (webhook && versions.length > 1) {
    const { caller, signal } = conversions
    const place = webhook.clientConfig ?? {}
    const converter = { place, reviewVersions: webhook.conversionReviewVersions, caller, signal }
    return { conversion: byWebhook(crd, version.name, schema, converter) }
  }
  if (!isReshaped) return {}
  const stored = storage(crd)
  return {
    convert: {
      fromStored: (object) => reshaped(object, schema),
      toStored: (object) => marked(object, stored),
    },
  }
}

interface Storage {
  /** The version in which objects are stored now. */
  readonly current: string
  /** The version of stored objects that tell none. */
  readonly first: string
}

function storage({ spec, status }: CustomResourceDefinition): Storage {
  const current = spec.versions.find((one) => one.storage)?.name ?? ''
  return { current, first: status?.storedVersions?.[0] ?? current }
}

function marked(object: KubeObject, { current, first }: Storage): KubeObject {
  if (current !== first) return { ...object, [marker]: current }
  if (!(marker in object)) return object
  const { [marker]: _marker, ...bare } = object
  return bare
}

function byWebhook(
  { spec, status }: CustomResourceDefinition,
  version: string,
  schema: Schema,
  converter: Converter,
): NonNullable<ResourceDefinition['conversion']> {
  const { group } = spec
  const kind = status?.acceptedNames?.kind || spec.names.kind
  const stored = storage({ spec, ...(status && { status }) })
  // Kept as long as the store's own value is in use: all who watch see the same event.
  const known = new WeakMap<KubeObject, Promise<KubeObject>>()

  const convert = async (objects: readonly KubeObject[], target: string): Promise<KubeObject[]> => {
    try {
      return await convertedBy(converter, objects, `${group}/${target}`)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw plainFailure(error.message)
    }
  }

  const begin = (objects: readonly KubeObject[]): void => {
    const whole = objects.map((object) => {
      const { [marker]: from = stored.first, ...bare } = object
      return { kind, apiVersion: `${group}/${String(from)}`, ...bare }
    })
    const all = convert(whole, version)
    for (const [index, object] of objects.entries()) {
      const one = all.then((list) => list[index] ?? object)
      known.set(object, one)
      // Whoever asks next may have more luck.
      one.catch(() => known.delete(object))
    }
  }

  return {
    async fromStored(objects) {
      const versionOf = (object: KubeObject): unknown => object[marker] ?? stored.first
      const foreign = objects.filter((object) => versionOf(object) !== version && !known.has(object))
      for (let at = 0; at < foreign.length; at += mostAtOnce) begin(foreign.slice(at, at + mostAtOnce))
      const forms = await Promise.all(objects.map((object) => known.get(object) ?? object))
      return forms.map((object) => reshaped(object, schema))
    },
    async toStored(object) {
      if (version === stored.current) return marked(object, stored)
      const [converted] = await convert([object], stored.current)
      return marked(converted ?? object, stored)
    },
  }
}

function reshaped(object: KubeObject, schema: Schema): KubeObject {
  const { [marker]: _marker, kind: _kind, apiVersion: _apiVersion, ...bare } = structuredClone(object)
  // A decoded object is JSON; its type only says more about the metadata.
  const json = bare as unknown as JsonObject
  prune(json, schema)
  applyDefaults(json, schema)
  return bare
}

import type { KubeObject, Persisted } from '../../../kube/index.ts'
import type { ControllerContext } from '../controller.ts'
import type { ServedResource } from '../served-resources.ts'

/** What an autoscaler scales, as its `scale` subresource shows it. */
export interface ScaleTarget {
  readonly resource: ServedResource
  readonly scale: Persisted<KubeObject>
  readonly replicas: number
  /** Of its pods, as text; empty where the kind tells of none. */
  readonly selector: string
}

export interface TargetReference {
  readonly apiVersion?: string
  readonly kind: string
  readonly name: string
}

/** A reference that leads to nothing that can be scaled. */
export class NoTarget extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options)
    this.name = 'NoTarget'
  }
}

/** @throws {NoTarget} */
export async function readTarget(
  { client, served, signal }: Pick<ControllerContext, 'client' | 'served' | 'signal'>,
  namespace: string,
  { apiVersion = '', kind, name }: TargetReference,
): Promise<ScaleTarget> {
  const parts = apiVersion.split('/')
  if (parts.length > 2) throw new NoTarget(`unexpected GroupVersion string: ${apiVersion}`)
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  const resource = served.find(group, kind)
  if (resource === undefined) throw new NoTarget(`no matches for kind "${kind}" in group "${group}"`)
  try {
    const scale = await client.get<KubeObject>(
      resource,
      { namespace, name },
      { subresource: 'scale', signal },
    )
    return { resource, scale, ...fieldsOf(scale) }
  } catch (error) {
    if (signal.aborted) throw error
    throw new NoTarget(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** Asks for another number of replicas. */
export async function writeScale(
  { client, signal }: Pick<ControllerContext, 'client' | 'signal'>,
  { resource, scale }: ScaleTarget,
  replicas: number,
): Promise<void> {
  const { namespace, name } = scale.metadata
  await client.replace<KubeObject>(
    resource,
    { ...(namespace !== undefined && { namespace }), name },
    { ...scale, spec: { replicas } },
    { subresource: 'scale', signal },
  )
}

function fieldsOf(scale: KubeObject): { replicas: number; selector: string } {
  // The server makes every scale, whatever it is of.
  const { spec, status } = scale as { spec?: { replicas?: number }; status?: { selector?: string } }
  return { replicas: spec?.replicas ?? 0, selector: status?.selector ?? '' }
}

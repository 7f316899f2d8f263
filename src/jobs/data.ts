import { type KubeClient, kinds } from '../kube/index.ts'
import { identityAnnotations } from './labels.ts'

/** A volume that jobs can mount with `--data`. */
export interface VolumeView {
  readonly name: string
  readonly namespace: string
  /** Access modes in full, joined by commas. */
  readonly accessMode: string
  /** `read` or `write`: what the group may do with it. */
  readonly access: string
  readonly description: string
  readonly owner: string
  readonly capacity: string
  readonly isBound: boolean
  readonly ageMs: number
}

const modeOrder = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']

/** Lists the volumes of a namespace, or of all, by name. */
export async function listVolumes(
  client: KubeClient,
  options: { readonly namespace?: string; readonly now: Date; readonly signal?: AbortSignal },
): Promise<readonly VolumeView[]> {
  const list = await client.list(kinds.persistentVolumeClaims, {
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.signal && { signal: options.signal }),
  })
  return list.items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }): VolumeView => {
      const modes = spec?.accessModes ?? []
      const isReadOnly = modes.length > 0 && modes.every((mode) => mode === 'ReadOnlyMany')
      return {
        name: metadata.name,
        namespace: metadata.namespace ?? '',
        accessMode: [...modes].sort((a, b) => modeOrder.indexOf(a) - modeOrder.indexOf(b)).join(','),
        access: metadata.annotations?.[identityAnnotations.access] ?? (isReadOnly ? 'read' : 'write'),
        description: metadata.annotations?.['description'] ?? '',
        owner: metadata.annotations?.['owner'] ?? '',
        capacity: status?.capacity?.['storage'] ?? spec?.resources?.requests?.['storage'] ?? '',
        isBound: status?.phase === 'Bound',
        ageMs: options.now.getTime() - Date.parse(metadata.creationTimestamp),
      }
    })
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
}

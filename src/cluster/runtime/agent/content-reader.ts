import { isStatus, type KubeClient, kinds, type ResourceType } from '../../../kube/index.ts'
import type { ContentReader } from './container/environment.ts'

/** Reads config maps and secrets of one namespace, by name alone: an agent has no business listing them. */
export function contentReader(client: KubeClient, namespace: string): ContentReader {
  const read = async <T>(type: ResourceType<T>, name: string) =>
    client.get(type, { namespace, name }).catch((error: unknown) => {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    })
  return {
    configMap: async (name) => read(kinds.configMaps, name),
    secret: async (name) => read(kinds.secrets, name),
  }
}

import { readFileSync } from 'node:fs'
import type { Container as ContainerManifest } from '../../../../kube/index.ts'
import { hostsFile } from '../../pod-directory.ts'
import type { Container } from '../../runtime.ts'
import { containersOf } from './container-kinds.ts'
import { containerSpec, gpuCount } from './container-spec.ts'
import { contentReader } from '../content-reader.ts'
import type { PodFacts } from './downward.ts'
import { resolveEnvironment } from './environment.ts'
import { identityOf } from './identity.ts'
import { resolverText } from './resolver.ts'
import { serviceEnvironment } from './service-environment.ts'
import type { AgentContext, NodeContext } from '../pod-context.ts'
import type { PodNotices } from '../pod/pod-notices.ts'
import type { PodVolumes } from '../pod/pod-volumes.ts'

export interface ContainerStarterOptions {
  readonly context: AgentContext
  readonly node: NodeContext
  readonly volumes: PodVolumes
  readonly notices: PodNotices
  readonly facts: () => PodFacts
}

function machineResolver(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch (error) {
    // A machine without one resolves nothing, and so do its pods.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

/** Starts the containers of one pod: who they are, what they see, which devices they have. */
export class ContainerStarter {
  readonly #options: ContainerStarterOptions

  constructor(options: ContainerStarterOptions) {
    this.#options = options
  }

  /** @throws {ContainerRefused} */
  async start(manifest: ContainerManifest, attempt: number): Promise<Container> {
    const { context, node, volumes, notices } = this.#options
    const { runtime, devices } = node
    const facts = this.#options.facts()
    const { pod } = facts
    const who = identityOf(pod, manifest, {
      allowRoot: context.allowRoot || !runtime.usesFiles,
      volumeGroups: volumes.groups,
    })
    const count = gpuCount(manifest)
    const gpus = count === 0 ? [] : devices.take(this.#holder(manifest.name), count)
    const environment = runtime.usesFiles
      ? await resolveEnvironment(manifest, {
          facts,
          reader: contentReader(context.client, pod.metadata.namespace ?? ''),
          cluster: {
            ...serviceEnvironment(pod, context.servicesOf(pod.metadata.namespace ?? '')),
            ...context.clusterEnvironment,
          },
        })
      : {}
    const container = await runtime.start(
      containerSpec(pod, manifest, {
        attempt,
        identity: who.identity,
        environment,
        volumes: runtime.usesFiles ? volumes.volumes : undefined,
        hostsFile: runtime.usesFiles ? hostsFile(context.dataDirectory, pod.metadata.uid) : undefined,
        resolver:
          runtime.usesFiles && pod.spec !== undefined ? resolverText(pod.spec, machineResolver) : undefined,
        podAddress: facts.podAddress,
        gpus,
      }),
    )
    for (const notice of [...who.notices, ...container.notices]) notices.tell(notice)
    return container
  }

  /** Leaves a container that was found running the devices it has. */
  adoptDevices(container: Container): void {
    if (container.gpus.length === 0 || container.exit !== undefined) return
    this.#options.node.devices.adopt(this.#holder(container.key.container), container.gpus)
  }

  /** Nothing of the pod will run again. */
  releaseDevices(): void {
    for (const [, { name }] of containersOf(this.#options.facts().pod)) {
      this.#options.node.devices.release(this.#holder(name))
    }
  }

  #holder(container: string): string {
    return `${this.#options.facts().pod.metadata.uid}/${container}`
  }
}

import { type EventRecorder, type Persisted, type Pod, referenceTo } from '../../../../kube/index.ts'
import type { Notice } from '../../runtime.ts'

/** What is told about one pod in its events. */
export class PodNotices {
  readonly #recorder: EventRecorder
  readonly #pod: () => Persisted<Pod>
  readonly #isQuiet: boolean
  readonly #told = new Set<string>()

  /** @param options.isQuiet only warnings are told */
  constructor(options: { recorder: EventRecorder; pod: () => Persisted<Pod>; isQuiet: boolean }) {
    this.#recorder = options.recorder
    this.#pod = options.pod
    this.#isQuiet = options.isQuiet
  }

  event(type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    if (this.#isQuiet && type === 'Normal') return
    const pod = this.#pod()
    const about = {
      ...referenceTo(pod, { kind: 'Pod', apiVersion: 'v1' }),
      ...(fieldPath !== undefined && { fieldPath }),
    }
    this.#recorder.record({ about, host: pod.spec?.nodeName ?? '', type, reason, message })
  }

  tellAboutImages(containers: readonly { readonly image: string }[]): void {
    const images = [...new Set(containers.map(({ image }) => image))].join(', ')
    this.tell({
      reason: 'ImageNotPulled',
      message: `the image ${images} is recorded and not pulled: the command runs on this machine's own software and network`,
    })
  }

  /** Something about this machine that the pod's owner should know, said once. */
  tell({ reason, message }: Notice): void {
    const key = `${reason} ${message}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.event('Normal', reason, message)
  }
}

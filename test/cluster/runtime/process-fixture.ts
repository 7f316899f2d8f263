import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ProcessRuntime,
  type ProcessRuntimeOptions,
} from '../../../src/cluster/runtime/process/process-runtime.ts'
import type { Container, ContainerExit, ContainerSpec, Mount } from '../../../src/cluster/runtime/runtime.ts'
import type { LogOptions } from '../../../src/cluster/runtime/streams.ts'

export const isRoot = process.getuid?.() === 0

/** A place for one test's pods, with what is needed to run containers by hand. */
export class ProcessFixture {
  readonly directory: string
  readonly dataDirectory: string
  readonly podUid = randomUUID()
  readonly runtime: ProcessRuntime
  readonly #keepAlive: NodeJS.Timeout
  readonly #others: ProcessRuntime[] = []
  #attempts = 0

  constructor(options: Partial<ProcessRuntimeOptions> = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'arena-runtime-'))
    this.dataDirectory = join(this.directory, 'data')
    mkdirSync(this.dataDirectory, { mode: 0o700 })
    writeFileSync(join(this.directory, 'hosts'), '127.0.0.1 localhost\n')
    this.runtime = new ProcessRuntime({ dataDirectory: this.dataDirectory, ...options })
    // A supervised container alone does not keep this program alive.
    this.#keepAlive = setInterval(() => undefined, 1 << 30)
  }

  spec(command: readonly string[], more: Partial<ContainerSpec> = {}): ContainerSpec {
    return {
      key: { podUid: this.podUid, container: 'main', attempt: this.#attempts++ },
      pod: {
        namespace: 'dev1',
        name: 'trainer',
        hostname: 'trainer',
        address: '127.64.0.9',
        annotations: {},
      },
      image: 'tensorflow/tensorflow:1.5.0',
      command,
      workingDirectory: undefined,
      environment: {},
      identity: { uid: 20001, gid: 10001, groups: [] },
      mounts: [],
      hostsFile: join(this.directory, 'hosts'),
      limits: {},
      gpus: [],
      stdin: false,
      tty: false,
      readOnlyRoot: false,
      terminationMessagePath: '/dev/termination-log',
      stopSignal: 'SIGTERM',
      ...more,
    }
  }

  async start(command: readonly string[], more: Partial<ContainerSpec> = {}): Promise<Container> {
    return this.runtime.start(this.spec(command, more))
  }

  /** Runs a command to its end. */
  async run(
    command: readonly string[],
    more: Partial<ContainerSpec> = {},
  ): Promise<{ exit: ContainerExit; output: string }> {
    const container = await this.start(command, more)
    const exit = await container.exited
    return { exit, output: await this.log(container) }
  }

  async shell(
    script: string,
    more: Partial<ContainerSpec> = {},
  ): Promise<{ exit: ContainerExit; output: string }> {
    return this.run(['sh', '-c', script], more)
  }

  async log(container: Container, options: Partial<LogOptions> = {}): Promise<string> {
    return collect(this.runtime.logs(container.key, { container: container.key.container, ...options }))
  }

  /** Waits until the container has written a line. */
  async line(container: Container, text: string): Promise<void> {
    let seen = ''
    const signal = AbortSignal.timeout(20_000)
    for await (const chunk of this.runtime.logs(container.key, { container: 'main', follow: true, signal })) {
      seen += Buffer.from(chunk).toString()
      if (seen.includes(text)) return
    }
    throw new Error(`"${text}" was never written, only: ${seen}`)
  }

  /** A directory outside of the data directory, to be mounted. */
  volume(name: string): string {
    const path = join(this.directory, 'volumes', name)
    mkdirSync(path, { recursive: true })
    chmodSync(path, 0o777)
    return path
  }

  mount(source: string, target: string, more: Partial<Mount> & { subPath?: string } = {}): Mount {
    const { subPath, readOnly = false } = more
    return {
      target,
      readOnly,
      source: { kind: 'path', path: source, ...(subPath !== undefined && { subPath, createSubPath: true }) },
    }
  }

  /** Another runtime on the same directory, as after a restart of the cluster. */
  restarted(): ProcessRuntime {
    const runtime = new ProcessRuntime({ dataDirectory: this.dataDirectory })
    this.#others.push(runtime)
    return runtime
  }

  async close(): Promise<void> {
    for (const container of await this.runtime.adopt()) await container.stop(0)
    await this.runtime.remove(this.podUid)
    for (const runtime of [this.runtime, ...this.#others]) runtime.close()
    clearInterval(this.#keepAlive)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const chunk of chunks) pieces.push(Buffer.from(chunk))
  return Buffer.concat(pieces).toString('utf8')
}

/** Processes of this machine whose command line has the text, other than shells that only mention it. */
export function runningWith(text: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return words.includes(text)
    } catch {
      return false
    }
  }).length
}

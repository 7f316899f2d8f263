import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { commands } from '../../src/cli/commands/table.ts'
import { runCommandLine } from '../../src/cli/run.ts'
import { type Cluster, type ClusterConfig, startCluster, usualConfig } from '../../src/cluster/index.ts'
import {
  connectionOf,
  createKubeClient,
  type KubeClient,
  openHttpsTransport,
  readKubeconfig,
} from '../../src/kube/index.ts'

export interface Printed {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** A running cluster, a directory with an organisation file, and the command line as an admin would use it. */
export interface TestOrganisation {
  readonly cluster: Cluster
  readonly client: KubeClient
  readonly directory: string
  write(text: string): Promise<void>
  arena(...typed: string[]): Promise<Printed>
  /** Runs a command line with other settings. */
  run(
    typed: readonly string[],
    options: {
      environment?: Record<string, string>
      now?: Date
      signal?: AbortSignal
      answers?: string
      onPrint?: (text: string) => void
    },
  ): Promise<Printed>
  close(): Promise<void>
}

export async function openOrganisation(settings: Partial<ClusterConfig> = {}): Promise<TestOrganisation> {
  const directory = await mkdtemp(join(tmpdir(), 'arena-org-'))
  const cluster = await startCluster({
    dataDir: join(directory, 'data'),
    log: () => undefined,
    config: { ...usualConfig, ...settings },
  })
  const environment = {
    HOME: directory,
    KUBECONFIG: cluster.adminKubeconfig,
    PATH: process.env['PATH'] ?? '',
  }
  const connection = await connectionOf(await readKubeconfig({ environment }), { environment })
  const { transport, close } = await openHttpsTransport(connection)
  const run: TestOrganisation['run'] = (typed, options) =>
    runArena(typed, {
      directory,
      environment: { ...environment, ...options.environment },
      now: options.now ?? new Date(),
      signal: options.signal ?? new AbortController().signal,
      ...(options.answers !== undefined && { answers: options.answers }),
      ...(options.onPrint && { onPrint: options.onPrint }),
    })
  return {
    cluster,
    client: createKubeClient(transport, { fieldManager: 'test' }),
    directory,
    write: (text) => writeFile(join(directory, 'org.yaml'), text),
    arena: (...typed) => run(typed, {}),
    run,
    async close() {
      close()
      await cluster.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** One command line of `arena`, inside this process. */
export async function runArena(
  typed: readonly string[],
  world: {
    directory: string
    environment: Record<string, string>
    now: Date
    signal: AbortSignal
    /** What a person at a terminal types; nobody is there without. */
    answers?: string
    /** Sees what is printed as it comes. */
    onPrint?: (text: string) => void
  },
): Promise<Printed> {
  let out = ''
  let err = ''
  const isThere = world.answers !== undefined
  const status = await runCommandLine(typed, commands, {
    stdin: Object.assign(Readable.from(world.answers === undefined ? [] : [world.answers]), {
      isTTY: isThere,
      setRawMode: () => undefined,
    }),
    stdout: collect((text) => {
      out += text
      world.onPrint?.(text)
    }),
    stderr: Object.assign(
      collect((text) => (err += text)),
      { isTTY: isThere },
    ),
    environment: world.environment,
    workingDirectory: world.directory,
    signal: world.signal,
    now: () => world.now,
  })
  return { status, out, err }
}

function collect(add: (text: string) => void): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      add(String(chunk))
      done()
    },
  })
}

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Notice } from '../runtime.ts'
import { makeScratch } from './scratch.ts'
import { defaultPath, type MachineView, machineRootSteps } from './machine-root.ts'
import { startShim } from './shim.ts'
import type { Isolation, ShimSpec } from './shim-spec.ts'

export interface FoundIsolation {
  readonly isolation: Isolation
  /** What is missing, for the events of every pod. */
  readonly notices: readonly Notice[]
}

/** Finds out by trying how far containers can be kept apart here. `directory` is a place for throw-away files. */
export async function findIsolation(directory: string, view: MachineView): Promise<FoundIsolation> {
  const isRoot = process.getuid?.() === 0
  if (isRoot && (await works('root', directory, view)) === undefined)
    return { isolation: 'root', notices: [] }
  const refusal = await works('user', directory, view)
  if (refusal === undefined) {
    return {
      isolation: 'user',
      notices: [
        {
          reason: 'RunsAsClusterUser',
          message:
            'the cluster does not run as root: the files of all jobs belong to the one user who runs it, whatever ids the pods ask for',
        },
      ],
    }
  }
  return {
    isolation: 'none',
    notices: [
      {
        reason: 'NotIsolated',
        message: `this machine allows no namespaces (${refusal}): the command runs as the cluster's own user and sees this machine's files, processes and temporary directories; volumes are links below the working directory`,
      },
    ],
  }
}

async function works(
  isolation: 'root' | 'user',
  parent: string,
  view: MachineView,
): Promise<string | undefined> {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const directory = await mkdtemp(join(parent, 'probe-'))
  const identity = { uid: 65534, gid: 65534, groups: [] }
  try {
    const scratch = join(directory, 'scratch')
    await makeScratch(scratch, identity, { isRoot: isolation === 'root', extra: [] })
    const spec: ShimSpec = {
      isolation,
      hostname: 'probe',
      steps: machineRootSteps({ view, identity, isolation, scratch, targets: [], devices: [] }),
      readOnlyRoot: false,
      command: ['true'],
      environment: { PATH: defaultPath },
      workingDirectory: '/root',
      ...identity,
      capabilities: [],
      cgroups: [],
      oomScore: 0,
      stdin: false,
      tty: false,
      stopSignal: 15,
      gpus: [],
      log: { path: join(directory, 'log'), maxBytes: 1_000_000, maxFiles: 2 },
    }
    await writeFile(join(directory, 'spec.json'), JSON.stringify(spec), { mode: 0o600 })
    const { process: child, announcement } = await startShim(directory)
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise<void>((resolve) => child.once('exit', () => resolve()))
    }
    return 'failed' in announcement ? (announcement.failed.message ?? 'refused') : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

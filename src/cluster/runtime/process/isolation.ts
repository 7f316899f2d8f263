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
  /** Why no container may run at all. */
  readonly refusal?: string
}

/**
 * Finds out by trying how far containers can be kept apart here.
 *
 * @param directory a place for throw-away files
 * @param wanted takes the place of finding out
 */
export async function findIsolation(
  directory: string,
  view: MachineView,
  wanted: Isolation | undefined,
): Promise<FoundIsolation> {
  if (wanted !== undefined) return { isolation: wanted, notices: noticesOf(wanted, 'as configured') }
  if (process.getuid?.() === 0) {
    const fault = await works('root', directory, view)
    if (fault === undefined) return { isolation: 'root', notices: [] }
    // Anything less than that would run jobs as root of this machine, or beside its files.
    return {
      isolation: 'root',
      notices: [],
      refusal: `root of this machine may not make namespaces and mounts (${fault}): run the cluster as an ordinary user, or with CAP_SYS_ADMIN`,
    }
  }
  const refusal = await works('user', directory, view)
  const isolation = refusal === undefined ? 'user' : 'none'
  return { isolation, notices: noticesOf(isolation, refusal ?? '') }
}

function noticesOf(isolation: Isolation, refusal: string): Notice[] {
  switch (isolation) {
    case 'root':
      return []
    case 'user':
      return [
        {
          reason: 'RunsAsClusterUser',
          message:
            'the cluster does not run as root: the files of all jobs belong to the one user who runs it, whatever ids the pods ask for',
        },
      ]
    case 'none':
      return [
        {
          reason: 'NotIsolated',
          message: `this machine allows no namespaces (${refusal}): the command runs as the cluster's own user and sees this machine's files, processes and temporary directories; volumes are links below the working directory`,
        },
      ]
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

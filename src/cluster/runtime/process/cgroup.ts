import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerLimits } from '../runtime.ts'

/** The control groups of one container. */
export interface ControlGroup {
  /** `cgroup.procs` files that its first process joins. */
  readonly procs: readonly string[]
  /** Limits asked for that this machine cannot hold, in words; absent when all hold. */
  readonly notEnforced?: string
}

interface Hierarchy {
  readonly version: 1 | 2
  readonly root: string
  /** Controllers that can be used here. */
  readonly controllers: ReadonlySet<string>
}

const wanted = ['memory', 'cpu', 'pids', 'cpuacct']
const period = 100_000

/**
 * Control groups, version 1 or 2, whichever the machine has, in a group `arena` of their own. Where they cannot be
 * made (no right, not mounted, a container without delegation) nothing is limited and `create` says so.
 */
export class ControlGroups {
  #hierarchies: Promise<readonly Hierarchy[]> | undefined
  readonly #podPids: number

  constructor(options: { podPids: number }) {
    this.#podPids = options.podPids
  }

  async create(name: string, limits: ContainerLimits): Promise<ControlGroup> {
    this.#hierarchies ??= findHierarchies()
    const hierarchies = await this.#hierarchies
    const settings = limitSettings(limits, this.#podPids)
    const procs: string[] = []
    const missing = new Set(settings.filter((setting) => setting.isAsked).map((setting) => setting.what))
    for (const hierarchy of hierarchies) {
      const directory = join(hierarchy.root, name)
      try {
        await mkdir(directory, { recursive: true })
        for (const setting of settings) {
          if (!hierarchy.controllers.has(setting.controller)) continue
          const [file, value] = hierarchy.version === 1 ? setting.v1 : setting.v2
          await writeFile(join(directory, file), value)
          missing.delete(setting.what)
        }
        procs.push(join(directory, 'cgroup.procs'))
      } catch (error) {
        // A refused limit is told to the user below; the job runs all the same.
        if (!isSystemError(error)) throw error
      }
    }
    if (missing.size === 0) return { procs }
    return {
      procs,
      notEnforced: `the limits of ${[...missing].join(' and ')} are not enforced: control groups cannot be used on this machine`,
    }
  }

  /**
   * Changes the limits of a group that is in use.
   *
   * @returns why they could not be changed, and then they are what they were.
   */
  async change(name: string, limits: ContainerLimits): Promise<string | undefined> {
    const inUse = await this.#memoryInUse(name)
    const { memoryBytes } = limits
    if (memoryBytes !== undefined && inUse !== undefined && inUse > memoryBytes)
      return `attempting to set memory limit (${Math.round(memoryBytes)}) below current usage (${inUse})`
    this.#hierarchies ??= findHierarchies()
    const settings = limitSettings(limits, this.#podPids).filter(({ controller }) => controller !== 'pids')
    const undo: (() => Promise<void>)[] = []
    for (const setting of settings) {
      const hierarchy = (await this.#hierarchies).find(({ controllers }) =>
        controllers.has(setting.controller),
      )
      const [file, value] = hierarchy?.version === 1 ? setting.v1 : setting.v2
      const path = join(hierarchy?.root ?? '', name, file)
      try {
        if (!hierarchy) throw Object.assign(new Error('no control groups'), { code: 'ENOENT' })
        const before = await readFile(path, 'utf8')
        await writeFile(path, value)
        undo.push(async () => writeFile(path, before.trim()))
      } catch (error) {
        if (!isSystemError(error)) throw error
        for (const back of undo.reverse()) await back()
        return `the ${setting.what} of a running container cannot be changed on this machine: control groups cannot be used`
      }
    }
    return undefined
  }

  /** Has the kernel killed a process of this group for want of memory? */
  async wasOutOfMemory(name: string): Promise<boolean> {
    const text =
      (await this.#read('memory', name, 'memory.events')) ??
      (await this.#read('memory', name, 'memory.oom_control'))
    return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0) > 0
  }

  /** What the processes of a group have used; undefined when the machine does not count both of it. */
  async usage(name: string): Promise<{ cpuNanoseconds: number; memoryBytes: number } | undefined> {
    const memoryBytes = await this.#memoryInUse(name)
    const cpuNanoseconds = await this.#cpuUsed(name)
    if (memoryBytes === undefined || cpuNanoseconds === undefined) return undefined
    return { cpuNanoseconds, memoryBytes }
  }

  async #memoryInUse(name: string): Promise<number | undefined> {
    const memory =
      (await this.#read('memory', name, 'memory.current')) ??
      (await this.#read('memory', name, 'memory.usage_in_bytes'))
    if (memory === undefined) return undefined
    // File pages that can be dropped at any time are not what a job needs.
    const statistics = await this.#read('memory', name, 'memory.stat')
    const inactive =
      /^total_inactive_file (\d+)$/m.exec(statistics ?? '') ?? /^inactive_file (\d+)$/m.exec(statistics ?? '')
    return Math.max(0, Number(memory) - Number(inactive?.[1] ?? 0))
  }

  /** Version 2 counts in `cpu.stat`, version 1 with a controller of its own. */
  async #cpuUsed(name: string): Promise<number | undefined> {
    const microseconds = /^usage_usec (\d+)$/m.exec((await this.#read('cpu', name, 'cpu.stat')) ?? '')?.[1]
    if (microseconds !== undefined) return Number(microseconds) * 1000
    const nanoseconds = await this.#read('cpuacct', name, 'cpuacct.usage')
    return nanoseconds === undefined ? undefined : Number(nanoseconds)
  }

  async remove(name: string): Promise<void> {
    this.#hierarchies ??= findHierarchies()
    for (const hierarchy of await this.#hierarchies) {
      await removeGroup(join(hierarchy.root, name))
    }
  }

  async #read(controller: string, name: string, file: string): Promise<string | undefined> {
    this.#hierarchies ??= findHierarchies()
    const hierarchy = (await this.#hierarchies).find(({ controllers }) => controllers.has(controller))
    if (hierarchy === undefined) return undefined
    return readFile(join(hierarchy.root, name, file), 'utf8').catch(() => undefined)
  }
}

interface Setting {
  readonly controller: string
  readonly what: string
  /** By the pod, rather than by us. */
  readonly isAsked: boolean
  readonly v1: readonly [file: string, value: string]
  readonly v2: readonly [file: string, value: string]
}

function limitSettings(limits: ContainerLimits, pids: number): Setting[] {
  const settings: Setting[] = [
    {
      controller: 'pids',
      what: 'processes',
      isAsked: false,
      v1: ['pids.max', String(pids)],
      v2: ['pids.max', String(pids)],
    },
  ]
  if (limits.memoryBytes !== undefined) {
    const bytes = String(Math.round(limits.memoryBytes))
    settings.push({
      controller: 'memory',
      what: 'memory',
      isAsked: true,
      v1: ['memory.limit_in_bytes', bytes],
      v2: ['memory.max', bytes],
    })
  }
  if (limits.cpu !== undefined) {
    const quota = String(Math.max(1000, Math.round(limits.cpu * period)))
    settings.push({
      controller: 'cpu',
      what: 'CPU',
      isAsked: true,
      v1: ['cpu.cfs_quota_us', quota],
      v2: ['cpu.max', `${quota} ${period}`],
    })
  }
  if (limits.cpuRequest !== undefined) {
    const shares = Math.min(262_144, Math.max(2, Math.round(limits.cpuRequest * 1024)))
    // The conversion that Kubernetes uses.
    const weight = 1 + Math.floor(((shares - 2) * 9999) / 262_142)
    settings.push({
      controller: 'cpu',
      what: 'CPU',
      isAsked: false,
      v1: ['cpu.shares', String(shares)],
      v2: ['cpu.weight', String(weight)],
    })
  }
  return settings
}

async function findHierarchies(): Promise<Hierarchy[]> {
  const found: Hierarchy[] = []
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const taken = new Set<string>()
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const mountPoint = before.split(' ')[4]
    const [type, , options = ''] = after.split(' ')
    if (mountPoint === undefined) continue
    if (type === 'cgroup') {
      const controllers = options.split(',').filter((name) => wanted.includes(name) && !taken.has(name))
      if (controllers.length === 0) continue
      const root = join(mountPoint, 'arena')
      if (!(await canMake(root))) continue
      for (const name of controllers) taken.add(name)
      found.push({ version: 1, root, controllers: new Set(controllers) })
    } else if (type === 'cgroup2') {
      const hierarchy = await unified(mountPoint)
      if (hierarchy !== undefined) found.push(hierarchy)
    }
  }
  return found
}

async function unified(mountPoint: string): Promise<Hierarchy | undefined> {
  const offered = await readFile(join(mountPoint, 'cgroup.controllers'), 'utf8').catch(() => '')
  const usable = offered
    .trim()
    .split(' ')
    .filter((name) => wanted.includes(name))
  const root = join(mountPoint, 'arena')
  if (usable.length === 0 || !(await canMake(root))) return undefined
  const controllers = new Set<string>()
  for (const name of usable) {
    try {
      // Both levels must pass a controller on before the groups below can use it.
      await writeFile(join(mountPoint, 'cgroup.subtree_control'), `+${name}`)
      await writeFile(join(root, 'cgroup.subtree_control'), `+${name}`)
      controllers.add(name)
    } catch (error) {
      if (!isSystemError(error)) throw error
    }
  }
  return controllers.size === 0 ? undefined : { version: 2, root, controllers }
}

async function canMake(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { recursive: true })
    return true
  } catch (error) {
    if (!isSystemError(error)) throw error
    return false
  }
}

async function removeGroup(directory: string): Promise<void> {
  // The kernel lets go of a group a moment after its last process.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    try {
      await rmdir(directory)
      return
    } catch (error) {
      if (!isSystemError(error)) throw error
      if (error.code !== 'EBUSY') return
      await sleep(20)
    }
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}

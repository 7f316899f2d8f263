import { readdir, readFile } from 'node:fs/promises'

interface Entry {
  readonly parent: number
  readonly cpuNanoseconds: number
}

/** What a tree of processes has used. */
export interface TreeUsage {
  readonly cpuNanoseconds: number
  readonly memoryBytes: number
}

// The kernel shows times in hundredths of a second to programs, on every machine (USER_HZ).
const tickNanoseconds = 10_000_000

/**
 * The machine's processes as `/proc` shows them (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html): what is left where
 * control groups cannot be used. Pages that processes share are counted once for each of them, and the time of a process
 * whose parent has ended before it is lost with it.
 */
export class ProcessTable {
  #reading: Promise<ReadonlyMap<number, Entry>> | undefined

  /** What all descendants of a process have used, without itself; undefined when there are none. */
  async usedBelow(root: number): Promise<TreeUsage | undefined> {
    const members = descendants(await this.#read(), root)
    if (members.length === 0) return undefined
    let cpuNanoseconds = 0
    let memoryBytes = 0
    for (const [pid, entry] of members) {
      cpuNanoseconds += entry.cpuNanoseconds
      memoryBytes += await residentBytes(pid)
    }
    return { cpuNanoseconds, memoryBytes }
  }

  /** Whoever asks while somebody reads gets the same table: a list of pods reads it once. */
  #read(): Promise<ReadonlyMap<number, Entry>> {
    this.#reading ??= readTable().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }
}

async function readTable(): Promise<ReadonlyMap<number, Entry>> {
  const table = new Map<number, Entry>()
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    // Gone between the two reads.
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
    if (text !== undefined) table.set(pid, entryOf(text))
  }
  return table
}

function entryOf(text: string): Entry {
  // The second field is the program's name in parentheses and may hold anything; the third comes after the last of them.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3] ?? 0)
  // Its own time and that of the children it has waited for, in user mode and in the kernel.
  const ticks = field(14) + field(15) + field(16) + field(17)
  return { parent: field(4), cpuNanoseconds: ticks * tickNanoseconds }
}

function descendants(table: ReadonlyMap<number, Entry>, root: number): (readonly [number, Entry])[] {
  const children = new Map<number, [number, Entry][]>()
  for (const [pid, entry] of table) {
    const siblings = children.get(entry.parent)
    if (siblings === undefined) children.set(entry.parent, [[pid, entry]])
    else siblings.push([pid, entry])
  }
  const found = [...(children.get(root) ?? [])]
  // Grows while it is walked.
  for (const [pid] of found) found.push(...(children.get(pid) ?? []))
  return found
}

async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
}

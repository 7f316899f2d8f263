import type { Disk } from './disk.ts'

/** A disk that forgets everything: for clusters that live only as long as their process. */
export function memoryDisk(): Disk {
  return {
    load: () => ({ revision: 0, records: [], changes: [], forgottenUpTo: 0 }),
    append: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

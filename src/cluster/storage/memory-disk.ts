import type { Disk } from './disk.ts'
import { UserError } from '../../errors.ts'

/** A disk that forgets everything: for clusters that live only as long as their process. */
export function memoryDisk(): Disk {
  return {
    load: () => ({ revision: 0, records: [], changes: [], forgottenUpTo: 0 }),
    append: () => Promise.resolve(),
    copyTo: () =>
      Promise.reject(
        new UserError(
          'REJECTED',
          'this cluster keeps its state in memory only, so there is nothing to back up',
          {
            hint: 'start it with --data-dir DIR',
          },
        ),
      ),
    close: () => Promise.resolve(),
  }
}

import { createHash } from 'node:crypto'
import type { VolumeEntry } from './schema.ts'

// A range of its own, far from ids that people choose, so that a new volume never takes the id of an account.
const first = 1_000_000_000
const count = 1_000_000_000

/**
 * The Linux group of a shared volume: the stated one, or one made from the name alone, so that neither the order of the
 * file nor other volumes change it.
 */
export function volumeGid(name: string, volume: Pick<VolumeEntry, 'gid'>): number {
  return volume.gid ?? first + (createHash('sha256').update(name).digest().readUInt32BE(0) % count)
}

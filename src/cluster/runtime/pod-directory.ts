import { join } from 'node:path'
import type { ContainerKey } from './runtime.ts'

/**
 * Where a pod's things lie under the data directory:
 *
 *     pods/<uid>/hosts                              the pod's /etc/hosts
 *     pods/<uid>/volumes/<name>/                    content of volumes that live and die with the pod
 *     pods/<uid>/containers/<name>/<attempt>/       one run: what was asked, its state, its exit
 *     pods/<uid>/containers/<name>/<attempt>.log    its log; older parts end in .log.<number>
 *
 * Paths are made of uids and checked names alone, so that no name of an object can lead anywhere else.
 */
export function podsDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'pods')
}

export function podDirectory(dataDirectory: string, podUid: string): string {
  return join(podsDirectory(dataDirectory), checkedSegment(podUid))
}

export function volumeDirectory(dataDirectory: string, podUid: string, volume: string): string {
  return join(podDirectory(dataDirectory, podUid), 'volumes', checkedSegment(volume))
}

export function hostsFile(dataDirectory: string, podUid: string): string {
  return join(podDirectory(dataDirectory, podUid), 'hosts')
}

export function containerDirectory(dataDirectory: string, podUid: string, container: string): string {
  return join(podDirectory(dataDirectory, podUid), 'containers', checkedSegment(container))
}

export function runDirectory(dataDirectory: string, key: ContainerKey): string {
  return join(containerDirectory(dataDirectory, key.podUid, key.container), String(key.attempt))
}

export function logFile(dataDirectory: string, key: ContainerKey): string {
  return `${runDirectory(dataDirectory, key)}.log`
}

const segment = /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/

/** @throws {Error} for anything that could mean another directory; the API server lets no such name in. */
function checkedSegment(name: string): string {
  if (name.length > 253 || !segment.test(name)) throw new Error(`"${name}" is no name for a directory`)
  return name
}

import { posix } from 'node:path'
import { parseQuantity } from '../../../kube/index.ts'
import type { OrgFile, VolumeEntry } from '../schema.ts'
import { volumeGid } from '../volume-gid.ts'
import { quantityFault } from './groups.ts'
import { checkId, checkLabel } from './names.ts'
import { nearest, type Report, reportTakenTwice } from './report.ts'

export function checkVolumes(report: Report, file: OrgFile): void {
  const groups = file.groups ?? {}
  const claims = new Map<string, string>()
  const ids: { id: number; path: string[]; what: string }[] = Object.entries(groups).map(([name, group]) => ({
    id: group.gid,
    path: ['groups', name, 'gid'],
    what: `group "${name}"`,
  }))
  // Two groups with one id are reported with the groups.
  const groupIds = new Map(ids.map((entry) => [entry.id, entry]))
  const volumeIds: typeof ids = [...groupIds.values()]
  for (const [name, volume] of Object.entries(file.volumes ?? {})) {
    const path = ['volumes', name]
    checkLabel(report, 'volume', name, path)
    checkSize(report, name, volume)
    const users = Object.keys(volume.access)
    if (users.length === 0) {
      report({
        path: [...path, 'access'],
        message: `volume "${name}" is granted to no group`,
        hint: 'name who may use it, as in: access: { dev1: write }',
      })
    }
    for (const group of users) {
      if (!Object.hasOwn(groups, group)) {
        const similar = nearest(group, Object.keys(groups))
        report({
          path: [...path, 'access', group],
          inKey: true,
          message: `volume "${name}" is granted to the group "${group}", which is not defined`,
          hint: similar ? `did you mean "${similar}"?` : `use one of: ${Object.keys(groups).join(', ')}`,
        })
      }
      const claim = users.length > 1 ? `${name}-${group}` : name
      const other = claims.get(claim)
      if (claim.length > 63) {
        report({
          path,
          inKey: true,
          message: `volume "${name}" needs the claim "${claim}", whose name is longer than 63 characters`,
          hint: 'choose a shorter name',
        })
      } else if (other !== undefined && other !== name) {
        report({
          path,
          inKey: true,
          message: `volume "${name}" needs the claim "${claim}", which volume "${other}" needs already`,
          hint: 'rename one of the two volumes',
        })
      }
      claims.set(claim, name)
    }
    checkSource(report, name, volume, users)
    if (volume.gid !== undefined) checkId(report, `volume "${name}"`, volume.gid, [...path, 'gid'])
    if (users.length > 1) {
      volumeIds.push({
        id: volumeGid(name, volume),
        path: volume.gid === undefined ? path : [...path, 'gid'],
        what: `volume "${name}"`,
      })
    }
  }
  reportTakenTwice(report, volumeIds)
}

function checkSize(report: Report, name: string, volume: VolumeEntry): void {
  const fault = quantityFault(volume.size)
  const isZero = fault === undefined && parseQuantity(volume.size).nanos === 0n
  if (fault === undefined && !isZero) return
  report({
    path: ['volumes', name, 'size'],
    message: `volume "${name}" has the size "${volume.size}", which ${fault ?? 'is nothing'}`,
    hint: 'write an amount, as in: size: 100Gi',
  })
}

const kindsOfSource = ['nfs', 'csi', 'storageClass', 'hostPath', 'directory'] as const

function checkSource(report: Report, name: string, volume: VolumeEntry, users: readonly string[]): void {
  const path = ['volumes', name, 'source']
  const given = kindsOfSource.filter((kind) => volume.source[kind] !== undefined)
  if (given.length !== 1) {
    report({
      path,
      inKey: given.length === 0,
      message:
        given.length === 0
          ? `volume "${name}" has no source`
          : `volume "${name}" has ${given.length} sources: ${given.join(', ')}`,
      hint: `give exactly one of: ${kindsOfSource.join(', ')}`,
    })
    return
  }
  if (volume.source.storageClass !== undefined && users.length > 1) {
    report({
      path: [...path, 'storageClass'],
      message: `volume "${name}" is shared by ${users.length} groups, but a storage class makes a new volume for each claim`,
      hint: 'use nfs, csi, hostPath or directory for shared data, or define one volume for each group',
    })
  }
  const paths: readonly (readonly [string, string | undefined])[] = [
    ['nfs.path', volume.source.nfs?.path],
    ['hostPath', volume.source.hostPath],
    ['directory', volume.source.directory],
  ]
  for (const [field, value] of paths) {
    if (value === undefined) continue
    const where = [...path, ...field.split('.')]
    if (value.split('/').includes('..')) {
      report({ path: where, message: `volume "${name}" has the path "${value}", which contains ".."` })
    } else if (field !== 'nfs.path' && isSystemPath(value)) {
      report({
        path: where,
        message: `volume "${name}" has the path "${value}", which would hand out a part of the system itself`,
        hint: 'use a directory made for the data, as in: /srv/arena/data',
      })
    }
  }
}

const systemPaths = [
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib64',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/usr',
]

function isSystemPath(path: string): boolean {
  const plain = posix.normalize(path).replace(/(?<=.)\/$/, '')
  if (plain === '/var' || plain === '/home') return true
  return systemPaths.some((system) => plain === system || (system !== '/' && plain.startsWith(`${system}/`)))
}

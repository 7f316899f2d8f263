import type { Container, Volume, VolumeDevice, VolumeMount } from 'kubernetes-types/core/v1.js'
import {
  type Fault,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../../faults.ts'
import { localPath, noBacksteps } from '../paths.ts'

type Volumes = ReadonlyMap<string, Volume>

/** What a container mounts and which block devices it sees: one volume is never both. */
export function validateMounts(path: string, container: Container, volumes: Volumes): Fault[] {
  const { volumeMounts = [], volumeDevices = [] } = container
  return [
    ...mountFaults(`${path}.volumeMounts`, container, volumeMounts, volumeDevices, volumes),
    ...deviceFaults(`${path}.volumeDevices`, volumeDevices, volumeMounts, volumes),
  ]
}

function mountFaults(
  path: string,
  container: Container,
  mounts: readonly VolumeMount[],
  devices: readonly VolumeDevice[],
  volumes: Volumes,
): Fault[] {
  const faults: Fault[] = []
  const points = new Set<string>()
  for (const [index, mount] of mounts.entries()) {
    const at = `${path}[${index}]`
    const { name = '', mountPath = '', subPath, subPathExpr } = mount
    if (!name) faults.push(required(`${at}.name`))
    if (!volumes.has(name)) faults.push(notFoundValue(`${at}.name`, name))
    if (!mountPath) faults.push(required(`${at}.mountPath`))
    if (points.has(mountPath)) faults.push(invalidValue(`${at}.mountPath`, mountPath, 'must be unique'))
    points.add(mountPath)
    if (devices.some((device) => device.name === name)) {
      faults.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      faults.push(
        invalidValue(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'),
      )
    }
    // The paths of these faults name no index: so it is in Kubernetes.
    if (subPath) faults.push(...localPath(`${path}.subPath`, subPath))
    if (subPathExpr) {
      if (subPath) {
        faults.push(
          invalidValue(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'),
        )
      }
      faults.push(...localPath(`${path}.subPathExpr`, subPathExpr))
    }
    faults.push(...propagationFaults(`${path}.mountPropagation`, mount, container))
    faults.push(...readOnlyFaults(`${path}.recursiveReadOnly`, mount))
  }
  return faults
}

const propagations = ['Bidirectional', 'HostToContainer', 'None']

function propagationFaults(path: string, { mountPropagation }: VolumeMount, container: Container): Fault[] {
  if (mountPropagation === undefined) return []
  if (!propagations.includes(mountPropagation)) return [notSupported(path, mountPropagation, propagations)]
  return mountPropagation === 'Bidirectional' && !container.securityContext?.privileged
    ? [forbiddenField(path, 'Bidirectional mount propagation is available only to privileged containers')]
    : []
}

const readOnlyModes = ['Disabled', 'Enabled', 'IfPossible']

function readOnlyFaults(path: string, mount: VolumeMount): Fault[] {
  const { recursiveReadOnly: mode, readOnly, mountPropagation = 'None' } = mount
  if (mode === undefined || mode === 'Disabled') return []
  if (!readOnlyModes.includes(mode)) return [notSupported(path, mode, readOnlyModes)]
  const faults: Fault[] = []
  if (!readOnly) faults.push(forbiddenField(path, 'may only be specified when readOnly is true'))
  if (mountPropagation !== 'None') {
    faults.push(forbiddenField(path, 'may only be specified when mountPropagation is None or not specified'))
  }
  return faults
}

function deviceFaults(
  path: string,
  devices: readonly VolumeDevice[],
  mounts: readonly VolumeMount[],
  volumes: Volumes,
): Fault[] {
  const faults: Fault[] = []
  const names = new Set<string>()
  const paths = new Set<string>()
  for (const [index, { name = '', devicePath = '' }] of devices.entries()) {
    const at = `${path}[${index}]`
    const volume = volumes.get(name)
    if (!name) faults.push(required(`${at}.name`))
    if (names.has(name)) faults.push(invalidValue(`${at}.name`, name, 'must be unique'))
    if (!volume) faults.push(notFoundValue(`${at}.name`, name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      faults.push(
        invalidValue(
          `${at}.name`,
          name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      )
    }
    if (!devicePath) faults.push(required(`${at}.devicePath`))
    if (paths.has(devicePath)) faults.push(invalidValue(`${at}.devicePath`, devicePath, 'must be unique'))
    if (noBacksteps(path, devicePath).length > 0) {
      faults.push(invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"))
    } else paths.add(devicePath)
    if (mounts.some((mount) => mount.name === name)) {
      faults.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeMounts'))
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      faults.push(
        invalidValue(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'),
      )
    }
    if (name) names.add(name)
  }
  return faults
}

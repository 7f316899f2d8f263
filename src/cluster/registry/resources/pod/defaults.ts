import type { Container, LifecycleHandler, Pod, PodSpec, Probe, Volume } from 'kubernetes-types/core/v1.js'
import { formatQuantity, podRequests } from '../../../../kube/index.ts'
import { isHugePages } from '../../validation/quantities.ts'
import { podSourceNames } from '../../validation/volumes.ts'
import type { Of } from '../define.ts'
import { pullPolicyOf } from './image.ts'
import { setVolumeDefaults } from './volume-defaults.ts'

/** Defaults of a pod. Some hold for pods only, not for the templates from which pods are made. */
export function setPodDefaults(pod: Of<Pod>): void {
  pod.spec ??= { containers: [] }
  const { spec } = pod
  setPodSpecDefaults(spec)
  for (const container of allContainers(spec)) requestWhatIsLimited(container)
  requestForAll(spec)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) {
    for (const container of allContainers(spec)) {
      for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
    }
  }
  setStatusDefaults(pod)
}

/** Defaults of a pod's spec, wherever it stands. */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  linkServiceAccount(spec)
  for (const volume of spec.volumes ?? []) setPodVolumeDefaults(volume)
  for (const container of allContainers(spec)) setContainerDefaults(container)
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container)
}

/** The account stands under two names; the old one follows the new one. */
export function linkServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name) {
    spec.serviceAccountName = name
    spec.serviceAccount = name
  }
}

function allContainers(spec: PodSpec): Container[] {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
}

function requestWhatIsLimited(container: Container): void {
  const { limits, requests } = container.resources ?? {}
  if (limits && Object.keys(limits).length > 0) {
    container.resources = { ...container.resources, requests: { ...limits, ...requests } }
  }
}

/** A pod limited as a whole asks for what its containers ask for, or for as much as it may use. */
function requestForAll(spec: PodSpec & { resources?: Container['resources'] }): void {
  const { limits, requests } = spec.resources ?? {}
  if (!limits || Object.keys(limits).length === 0) return
  const { containers = [], initContainers = [] } = spec
  const asked = Object.entries(podRequests({ spec: { containers, initContainers } }))
    .filter(([name, amount]) => isPodLevel(name) && amount.nanos > 0n)
    .map(([name, amount]): [string, string] => [name, formatQuantity(amount)])
  const limited = Object.entries(limits).filter(([name]) => isPodLevel(name))
  spec.resources = {
    ...spec.resources,
    requests: Object.fromEntries([...limited, ...asked, ...Object.entries(requests ?? {})]),
  }
}

function isPodLevel(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name)
}

function setContainerDefaults(container: Container): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.resources ??= {}
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ||= '0'
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) setProbeDefaults(probe)
  }
  setHandlerDefaults(container.lifecycle?.postStart)
  setHandlerDefaults(container.lifecycle?.preStop)
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.grpc) probe.grpc.service ??= ''
  setHandlerDefaults(probe)
}

function setHandlerDefaults(handler: Pick<LifecycleHandler, 'httpGet'> | undefined): void {
  const get = handler?.httpGet
  if (!get) return
  get.path ||= '/'
  get.scheme ||= 'HTTP'
}

function setPodVolumeDefaults(volume: Volume): void {
  if (!podSourceNames.some((name) => name in volume)) volume.emptyDir = {}
  setVolumeDefaults(volume)
  const files = [
    ...(volume.downwardAPI?.items ?? []),
    ...(volume.projected?.sources ?? []).flatMap((source) => source.downwardAPI?.items ?? []),
  ]
  for (const file of files) {
    if (file.fieldRef) file.fieldRef.apiVersion ||= 'v1'
    if (file.resourceFieldRef) file.resourceFieldRef.divisor ||= '0'
  }
  for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
    if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= 3600
  }
  const claim = volume.ephemeral?.volumeClaimTemplate
  if (claim?.spec) claim.spec.volumeMode ??= 'Filesystem'
  const { image } = volume as { image?: { reference?: string; pullPolicy?: string } }
  if (image) image.pullPolicy ||= pullPolicyOf(image.reference ?? '')
}

/** The first of several addresses has a field of its own. */
function setStatusDefaults(pod: Of<Pod>): void {
  const { status } = pod
  if (!status) return
  if (status.podIP && !status.podIPs?.length) status.podIPs = [{ ip: status.podIP }]
  if (!status.podIP && status.podIPs?.[0]?.ip) status.podIP = status.podIPs[0].ip
  if (status.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }]
  const containers = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
  for (const container of containers) {
    container.lastState ??= {}
    container.state ??= {}
  }
}

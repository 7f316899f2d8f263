/** What Kubernetes' own groups have; a higher number comes first (kube-apiserver, `aggregator.go`). */
const ownGroups: Readonly<Record<string, number>> = {
  '': 18_000,
  'apiregistration.k8s.io': 20_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
  // As the manifest of metrics-server has it.
  'metrics.k8s.io': 100,
}
const customGroup = 1000

const unusualVersions: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'metrics.k8s.io/v1beta1': 100,
}
const usualVersion = 15
const customVersion = 100

/** Where a group comes among all groups: `groupPriorityMinimum` of its API services. */
export function groupPriority(group: string): number {
  return ownGroups[group] ?? customGroup
}

/** Where a version comes within its group: `versionPriority` of its API service. */
export function versionPriority(group: string, version: string): number {
  return unusualVersions[`${group}/${version}`] ?? (group in ownGroups ? usualVersion : customVersion)
}

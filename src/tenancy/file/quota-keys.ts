/** Kinds of jobs that people submit: the quota `jobs` limits each of them. */
const jobKinds = [
  'tfjobs.kubeflow.org',
  'pytorchjobs.kubeflow.org',
  'mpijobs.kubeflow.org',
  'jobs.batch',
] as const

/** The Kubernetes quota keys that a key of the organisation file stands for. */
export function quotaKeys(key: string): readonly string[] {
  switch (key) {
    case 'gpu':
      return ['requests.nvidia.com/gpu']
    case 'cpu':
    case 'memory':
    case 'storage':
    case 'ephemeral-storage':
      return [`requests.${key}`]
    case 'jobs':
      return jobKinds.map((kind) => `count/${kind}`)
    default:
      return [key]
  }
}

/** The organisation file's word for a Kubernetes quota key. */
export function shortQuotaKey(key: string): string {
  if (key === 'requests.nvidia.com/gpu') return 'gpu'
  if (jobKinds.some((kind) => key === `count/${kind}`)) return 'jobs'
  return /^requests\.(cpu|memory|storage)$/.exec(key)?.[1] ?? key
}

/** Devices and counts of objects cannot be split. */
export function isWholeNumbered(key: string): boolean {
  const divisible = /(?:^|\.)(?:cpu|memory|storage|ephemeral-storage)$|hugepages-/
  return !divisible.test(key)
}

import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { checkBeforeSubmit, type PreflightFacts, tfJob } from '../../src/jobs/index.ts'
import { claimOf, jobOf, limitRangeOf, nodeOf, quotaOf } from './objects.ts'

function check(flags: readonly string[], facts: Omit<PreflightFacts, 'now'>): string {
  const job = jobOf(['--name=a', '--image=i', ...flags, 'x'])
  try {
    checkBeforeSubmit(
      { name: 'a', namespace: 'dev1', kind: tfJob, roles: tfJob.roles(job) },
      { ...facts, now: 0 },
    )
    return 'accepted'
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return `${error.code}: ${error.message}\n${error.hint ?? ''}`
  }
}

const gpuNodes = [
  nodeOf('master01', { cpu: '4', memory: '8Gi' }, { taint: 'node-role.kubernetes.io/control-plane' }),
  nodeOf('worker01', { cpu: '4', memory: '30Gi', 'nvidia.com/gpu': '1' }),
  nodeOf('worker02', { cpu: '4', memory: '30Gi', 'nvidia.com/gpu': '1' }, { labels: { zone: 'b' } }),
]

describe('checks before a job is made', () => {
  it('let through what may run now or later', () => {
    expect(
      check(['--gpus=1'], { quotas: [quotaOf({ 'requests.nvidia.com/gpu': '1' })], nodes: gpuNodes }),
    ).toBe('accepted')
    expect(
      check(['--gpus=1'], {
        quotas: [quotaOf({ 'requests.nvidia.com/gpu': '1' }, { 'requests.nvidia.com/gpu': '1' })],
        nodes: gpuNodes,
      }),
    ).toBe('accepted')
    expect(check(['--gpus=8'], {})).toBe('accepted')
  })

  it('refuse more than the whole quota, with the numbers', () => {
    expect(check(['--gpus=3'], { quotas: [quotaOf({ 'requests.nvidia.com/gpu': '2' })] })).toBe(
      'NEVER_FITS: job "a" needs 3 GPUs, and all that group dev1 may ever use is 2 GPUs (quota dev1-compute-resources)\n' +
        'ask for less, or ask your admin to raise the quota of dev1',
    )
  })

  it('count all pods of a distributed job', () => {
    expect(
      check(['--gpus=1', '--workers=3'], { quotas: [quotaOf({ 'requests.nvidia.com/gpu': '2' })] }),
    ).toContain('needs 3 GPUs')
    expect(check(['--workers=3', '--ps=1'], { quotas: [quotaOf({ pods: '3' })] })).toContain('needs 4 pods')
  })

  it('refuse more than any node has, naming the largest', () => {
    expect(check(['--gpus=2'], { nodes: gpuNodes })).toContain(
      'NEVER_FITS: each chief of job "a" needs 2 GPUs, and the largest node, worker01, has 1 GPU',
    )
    expect(check(['--chief-memory=31Gi'], { nodes: gpuNodes })).toContain(
      'needs 31Gi of memory, and the largest node, worker01, has 30Gi of memory',
    )
    expect(check(['--device=amd.com/gpu=1'], { nodes: gpuNodes })).toContain(
      'needs 1 of amd.com/gpu, and no node has any amd.com/gpu',
    )
  })

  it('look only at nodes that the job may run on, and refuse nothing when there are none yet', () => {
    const small = [nodeOf('big', { cpu: '64' }, { taint: 'reserved' }), nodeOf('small', { cpu: '2' })]
    expect(check(['--chief-cpu=4'], { nodes: small })).toContain('the largest node, small, has 2 CPUs')
    expect(check(['--chief-cpu=4', '--toleration=all'], { nodes: small })).toBe('accepted')
    expect(check(['--chief-cpu=4', '--selector=zone=nowhere'], { nodes: small })).toBe('accepted')
  })

  it('refuse a job that names no CPU or memory where the quota counts them, and say which flags to add', () => {
    const quotas = [
      quotaOf({ 'requests.cpu': '8', 'requests.memory': '60Gi', 'requests.nvidia.com/gpu': '2' }),
    ]
    expect(check(['--gpus=1'], { quotas })).toBe(
      'REQUESTS_MISSING: job "a" does not say how much CPU and memory it wants, which group dev1 must know because its quota limits CPU and memory\n' +
        'add --chief-cpu=2 and --chief-memory=4Gi',
    )
    expect(
      check(['--gpus=1', '--workers=2', '--ps=1', '--worker-cpu=1', '--ps-cpu=1'], { quotas }),
    ).toContain('add --ps-memory=4Gi and --worker-memory=4Gi')
    expect(check(['--gpus=1', '--chief-cpu=2', '--chief-memory=10Gi'], { quotas })).toBe('accepted')
    expect(check(['--chief-cpu-limit=2', '--chief-memory-limit=1Gi'], { quotas })).toBe('accepted')
  })

  it('do not ask for what a limit range fills in', () => {
    const quotas = [quotaOf({ 'requests.cpu': '8', memory: '60Gi' })]
    expect(check([], { quotas, limitRanges: [limitRangeOf({ cpu: '1', memory: '1Gi' })] })).toBe('accepted')
    expect(check([], { quotas, limitRanges: [limitRangeOf({ cpu: '1' })] })).toContain(
      'add --chief-memory=4Gi',
    )
  })

  it('refuse a volume that the group has not, naming those it has', () => {
    const claims = [claimOf('dev1-public'), claimOf('shared')]
    expect(check(['--data=dev1-public:/data'], { claims })).toBe('accepted')
    expect(check(['--data=dev2-public:/data'], { claims })).toBe(
      'VOLUME_UNAVAILABLE: volume "dev2-public" is no volume of dev1\nuse one of: dev1-public, shared',
    )
  })

  it("refuse what the group's security level will not let run", () => {
    const namespaceLabels = { 'pod-security.kubernetes.io/enforce': 'baseline' }
    expect(check(['--data-dir=/etc:/x'], { namespaceLabels })).toContain(
      'POD_FORBIDDEN: jobs of dev1 may not reach into the machine they run on, as --data-dir would',
    )
    expect(check(['--hostNetwork', '--hostPID'], { namespaceLabels })).toContain(
      '--hostNetwork and --hostPID',
    )
    expect(check(['--hostNetwork'], {})).toBe('accepted')
  })
})

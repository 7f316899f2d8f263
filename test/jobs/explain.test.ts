import { describe, expect, it } from 'vitest'
import {
  explainJob,
  explainReason,
  jobJson,
  type ObservedJob,
  type Surroundings,
  viewJob,
} from '../../src/jobs/index.ts'
import { observed, podOf, quotaOf, start } from './objects.ts'

const gpu = 'requests.nvidia.com/gpu'
const now = Date.parse(start) + 60_000
const created = { conditions: [{ type: 'Created', status: 'True' } as const] }
const later = '2026-01-01T00:00:30Z'

function around(jobs: readonly ObservedJob[], extra: Partial<Surroundings> = {}): Surroundings {
  return { jobs, now, ...extra }
}

describe('why a job does not run', () => {
  it('is nothing for one that runs or has succeeded', () => {
    const running = observed('a', {
      pods: [podOf('a')],
      status: { conditions: [{ type: 'Running', status: 'True' }] },
    })
    expect(explainJob(running, around([running]))).toBeUndefined()
    const done = observed('a', { status: { conditions: [{ type: 'Succeeded', status: 'True' }] } })
    expect(explainJob(done, around([done]))).toBeUndefined()
  })

  it('names the quota, the numbers, who holds it, and what would start it', () => {
    const holder = observed('tf-git-bob-01', { pods: [podOf('tf-git-bob-01')], status: created })
    const waiting = observed('tf-git-bob-02', { createdAt: later, status: created })
    const reason = explainJob(
      waiting,
      around([holder, waiting], { quotas: [quotaOf({ [gpu]: '1' }, { [gpu]: '1' })] }),
    )
    expect(reason).toEqual({
      code: 'QuotaExceeded',
      message:
        'tf-git-bob-02 needs 1 GPU, but quota dev1-compute-resources has 1 of 1 GPU used (tf-git-bob-01 of bob has 1 GPU)',
      needed: ['1 GPU'],
      available: ['0 GPUs'],
      quota: 'dev1-compute-resources',
      holders: [{ job: 'tf-git-bob-01', owner: 'bob', amount: '1 GPU' }],
      suggestion: 'it starts by itself when tf-git-bob-01 ends',
    })
    expect(reason && explainReason(reason)).toEqual([
      'Waiting (QuotaExceeded): tf-git-bob-02 needs 1 GPU, but quota dev1-compute-resources has 1 of 1 GPU used (tf-git-bob-01 of bob has 1 GPU)',
      '  it starts by itself when tf-git-bob-01 ends',
    ])
  })

  it('counts jobs that were there before and have no pods yet', () => {
    const before = observed('first', { status: created })
    const after = observed('second', { createdAt: later, status: created })
    const quotas = [quotaOf({ [gpu]: '1' })]
    expect(explainJob(before, around([before, after], { quotas }))).toBeUndefined()
    expect(explainJob(after, around([before, after], { quotas }))).toMatchObject({
      code: 'QuotaExceeded',
      message: expect.stringContaining(
        'quota dev1-compute-resources has 0 of 1 GPU used, and first of bob waits for 1 GPU before it',
      ),
    })
  })

  it('counts no pods that have ended', () => {
    const ended = observed('a', { pods: [podOf('a', { status: { phase: 'Succeeded' } })], status: created })
    const waiting = observed('b', { createdAt: later, status: created })
    expect(
      explainJob(waiting, around([ended, waiting], { quotas: [quotaOf({ [gpu]: '1' })] })),
    ).toBeUndefined()
  })

  it('says how much must come free when no single job is enough', () => {
    const holders = ['a', 'b'].map((name) => observed(name, { pods: [podOf(name)], status: created }))
    const waiting = observed('c', { flags: ['--workers=2'], createdAt: later, status: created })
    const quotas = [quotaOf({ [gpu]: '2' }, { [gpu]: '2' })]
    expect(explainJob(waiting, around([...holders, waiting], { quotas }))?.suggestion).toBe(
      'it starts by itself once these jobs give back 2 GPUs',
    )
    const single = observed('d', { createdAt: later, status: created })
    expect(explainJob(single, around([...holders, single], { quotas }))?.suggestion).toBe(
      'it starts by itself when one of these ends: a, b',
    )
  })

  it.each([
    ['0/3 nodes are available: 3 Insufficient nvidia.com/gpu.', 'InsufficientNodes'],
    ["0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", 'NodeMismatch'],
    ['0/3 nodes are available: 3 node(s) had untolerated taint {a: b}.', 'NodeMismatch'],
    ['0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.', 'VolumeUnbound'],
    ['persistentvolumeclaim "x" not found', 'VolumeUnbound'],
  ])('reads the scheduler: %s is %s', (message, code) => {
    const pod = podOf('a', {
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
      },
    })
    const job = observed('a', { pods: [pod], status: created })
    expect(explainJob(job, around([job]))).toMatchObject({ code, message: expect.stringContaining(message) })
  })

  it.each([
    ['ImagePullBackOff', 'ImagePullFailed'],
    ['ErrImagePull', 'ImagePullFailed'],
    ['CrashLoopBackOff', 'Crashed'],
    ['CreateContainerError', 'Crashed'],
  ])('reads containers that wait: %s is %s', (reason, code) => {
    const pod = podOf('a', {
      status: {
        phase: 'Pending',
        containerStatuses: [
          {
            name: 'tensorflow',
            image: 'i',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason } },
          },
        ],
      },
    })
    const job = observed('a', { pods: [pod], status: created })
    expect(explainJob(job, around([job]))?.code).toBe(code)
  })

  it.each([
    [{ exitCode: 3 }, 'a failed: container tensorflow ended with status 3'],
    [
      { exitCode: 137, reason: 'OOMKilled' },
      'a failed: container tensorflow was killed: it used more memory than its limit',
    ],
    [{ exitCode: 139, signal: 11 }, 'a failed: container tensorflow was ended by signal 11'],
  ])('tells how a job failed: %j', (terminated, message) => {
    const pod = podOf('a', {
      status: {
        phase: 'Failed',
        containerStatuses: [
          {
            name: 'tensorflow',
            image: 'i',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { terminated },
          },
        ],
      },
    })
    const job = observed('a', { pods: [pod], status: { conditions: [{ type: 'Failed', status: 'True' }] } })
    expect(explainJob(job, around([job]))).toMatchObject({ code: 'Crashed', message })
  })

  it('notices that nobody takes care of the job, but not in its first seconds', () => {
    const untouched = observed('a')
    expect(explainJob(untouched, around([untouched]))?.code).toBe('OperatorMissing')
    expect(explainJob(untouched, { jobs: [untouched], now: Date.parse(start) + 1000 })).toBeUndefined()
  })

  it('says that it is suspended, or that part of a gang is missing', () => {
    const suspended = observed('a', { suspend: true, status: created })
    expect(explainJob(suspended, around([suspended]))?.code).toBe('Suspended')
    const flags = ['--workers=2', '--gang']
    const gang = observed('a', { flags, pods: [podOf('a', { role: 'worker', flags })], status: created })
    expect(explainJob(gang, around([gang]))).toMatchObject({
      code: 'GangIncomplete',
      message: 'a runs with 1 of 2 pods and waits for the others',
    })
  })
})

describe('a job as JSON', () => {
  it('has the fields of the original tool, and the reason', () => {
    const holder = observed('a', {
      pods: [podOf('a', { node: 'worker01' })],
      status: { ...created, startTime: start },
    })
    const waiting = observed('b', { createdAt: later, status: created })
    const facts = around([holder, waiting], { quotas: [quotaOf({ [gpu]: '1' }, { [gpu]: '1' })] })
    expect(jobJson(viewJob(holder, facts))).toMatchSnapshot()
    expect(jobJson(viewJob(waiting, facts))).toMatchSnapshot()
  })
})

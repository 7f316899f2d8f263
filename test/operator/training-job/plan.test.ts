import { expect, test } from 'vitest'
import type { JobStatus, Persisted, Pod, Service } from '../../../src/kube/index.ts'
import { tfJob } from '../../../src/operator/kinds/tf-job.ts'
import type { StoredJob } from '../../../src/operator/training-job/kind.ts'
import { type Plan, planJob } from '../../../src/operator/training-job/plan.ts'
import { podOf, replicas, serviceOf, storedJob } from '../jobs.ts'

const start = Date.parse('2026-01-01T00:00:10Z')

interface Facts {
  readonly pods?: Persisted<Pod>[]
  readonly services?: Persisted<Service>[]
  readonly restarts?: number
  readonly now?: number
}

function plan(job: StoredJob, facts: Facts = {}): Plan {
  return planJob(tfJob, { job, pods: [], services: [], restarts: 0, now: start, ...facts })
}

/** The job with the status that a plan wants. */
function after(job: StoredJob, { status }: Plan): StoredJob {
  return { ...job, status }
}

function conditions(status: JobStatus): string[] {
  return (status.conditions ?? []).map((one) => `${one.type}=${one.status} ${one.reason}`)
}

test('a new job is created and wants its pods and services; its time has not begun', () => {
  const made = plan(storedJob({ Worker: replicas(2) }))
  expect(made.missing.map(({ role, index }) => `${role.name}-${index}`)).toEqual(['Worker-0', 'Worker-1'])
  expect(made.missingServices).toHaveLength(2)
  expect(conditions(made.status)).toEqual(['Created=True TFJobCreated'])
  expect(made.status.conditions?.[0]?.message).toBe('TFJob mnist is created.')
  expect(made.status.startTime).toBeUndefined()
  expect(made.status.replicaStatuses).toEqual({
    Worker: {
      selector:
        'training.kubeflow.org/job-name=mnist,training.kubeflow.org/operator-name=tfjob-controller,training.kubeflow.org/replica-type=worker',
    },
  })
})

test('a job starts when all of its pods are there', () => {
  const job = storedJob({ Worker: replicas(2) })
  expect(plan(job, { pods: [podOf(job, 'Worker', 0)] }).status.startTime).toBeUndefined()
  const both = [podOf(job, 'Worker', 0), podOf(job, 'Worker', 1)]
  expect(plan(job, { pods: both }).status.startTime).toBe('2026-01-01T00:00:10Z')
})

test('a worker that runs makes the job running', () => {
  const job = storedJob({ Worker: replicas(2) })
  const pods = [podOf(job, 'Worker', 0, { phase: 'Running' }), podOf(job, 'Worker', 1)]
  const { status } = plan(job, { pods })
  expect(conditions(status)).toEqual(['Created=True TFJobCreated', 'Running=True TFJobRunning'])
  expect(status.conditions?.[1]?.message).toBe('TFJob dev1/mnist is running.')
  expect(status.replicaStatuses?.Worker?.active).toBe(1)
})

test('worker 0 decides, unless all workers must succeed', () => {
  const states = [{ phase: 'Succeeded', exitCode: 0 }, { phase: 'Running' }]
  const first = storedJob({ Worker: replicas(2) })
  const ended = plan(first, { pods: states.map((state, index) => podOf(first, 'Worker', index, state)) })
  expect(conditions(ended.status)).toContain('Succeeded=True TFJobSucceeded')
  expect(ended.status.completionTime).toBe('2026-01-01T00:00:10Z')
  expect(ended.notes).toEqual([
    { type: 'Normal', reason: 'TFJobSucceeded', message: 'TFJob dev1/mnist successfully completed.' },
  ])
  const all = storedJob({ Worker: replicas(2) }, { successPolicy: 'AllWorkers' })
  const half = plan(all, { pods: states.map((state, index) => podOf(all, 'Worker', index, state)) })
  expect(conditions(half.status)).toEqual(['Created=True TFJobCreated', 'Running=True TFJobRunning'])
})

test('the chief decides where there is one', () => {
  const job = storedJob({ Chief: replicas(1), Worker: replicas(1), PS: replicas(1) })
  const workerDone = [
    podOf(job, 'Chief', 0, { phase: 'Running' }),
    podOf(job, 'Worker', 0, { phase: 'Succeeded', exitCode: 0 }),
    podOf(job, 'PS', 0, { phase: 'Running' }),
  ]
  expect(conditions(plan(job, { pods: workerDone }).status)).toEqual([
    'Created=True TFJobCreated',
    'Running=True TFJobRunning',
  ])
  const chiefDone = [podOf(job, 'Chief', 0, { phase: 'Succeeded' }), ...workerDone.slice(1)]
  const running = after(job, plan(job, { pods: workerDone }))
  expect(conditions(plan(running, { pods: chiefDone }).status)).toEqual([
    'Created=True TFJobCreated',
    'Running=False TFJobRunning',
    'Succeeded=True TFJobSucceeded',
  ])
})

test('a replica that fails for good fails the job, and says how many of which role', () => {
  const job = storedJob({ PS: replicas(1), Worker: replicas(2) })
  const pods = [
    podOf(job, 'PS', 0, { phase: 'Running' }),
    podOf(job, 'Worker', 0, { phase: 'Running' }),
    podOf(job, 'Worker', 1, { phase: 'Failed', exitCode: 1 }),
  ]
  const { status, missing } = plan(job, { pods })
  expect(conditions(status)).toContain('Failed=True TFJobFailed')
  expect(status.conditions?.at(-1)?.message).toBe(
    'TFJob dev1/mnist has failed because 1 Worker replica(s) failed.',
  )
  expect(missing).toEqual([])
})

test('workers may fail in a job whose workers come and go', () => {
  const job = storedJob({ Worker: replicas(2) }, { enableDynamicWorker: true })
  const pods = [
    podOf(job, 'Worker', 0, { phase: 'Running' }),
    podOf(job, 'Worker', 1, { phase: 'Failed', exitCode: 1 }),
  ]
  expect(conditions(plan(job, { pods }).status)).not.toContain('Failed=True TFJobFailed')
})

test('a killed replica of a role that restarts by exit code is made anew; another exit code ends the job', () => {
  const job = storedJob({ Worker: replicas(1, { restartPolicy: 'ExitCode' }) })
  const running = after(job, plan(job, { pods: [podOf(job, 'Worker', 0, { phase: 'Running' })] }))
  const killed = podOf(job, 'Worker', 0, { phase: 'Failed', exitCode: 137 })
  const restarted = plan(running, { pods: [killed] })
  expect(restarted.deletePods).toEqual([killed])
  expect(restarted.restarts).toBe(1)
  expect(conditions(restarted.status)).toEqual([
    'Created=True TFJobCreated',
    'Restarting=True TFJobRestarting',
  ])
  expect(restarted.notes[0]?.message).toBe('TFJob mnist is restarting because Worker replica(s) failed.')
  const gone = plan(after(running, restarted), { restarts: 1 })
  expect(gone.missing).toHaveLength(1)
  const again = plan(after(running, gone), {
    pods: [podOf(job, 'Worker', 0, { phase: 'Running' })],
    restarts: 1,
  })
  expect(conditions(again.status)).toEqual(['Created=True TFJobCreated', 'Running=True TFJobRunning'])
  const broken = plan(running, { pods: [podOf(job, 'Worker', 0, { phase: 'Failed', exitCode: 1 })] })
  expect(conditions(broken.status)).toContain('Failed=True TFJobFailed')
  expect(broken.deletePods).toEqual([])
})

test('a pod that was evicted from a role that restarts on failure is made anew', () => {
  const job = storedJob({ Worker: replicas(1, { restartPolicy: 'OnFailure' }) })
  const evicted = podOf(job, 'Worker', 0, { phase: 'Failed' })
  expect(plan(job, { pods: [evicted] }).deletePods).toEqual([evicted])
})

test('the failure after the last one that the back-off limit allows is the end, and cleans up', () => {
  const job = storedJob(
    { Worker: replicas(1, { restartPolicy: 'ExitCode' }) },
    { runPolicy: { backoffLimit: 1 } },
  )
  const pods = [podOf(job, 'Worker', 0, { phase: 'Failed', exitCode: 143 })]
  expect(plan(job, { pods }).restarts).toBe(1)
  const last = plan(job, { pods, restarts: 1 })
  expect(conditions(last.status)).toContain('Failed=True TFJobFailed')
  expect(last.status.conditions?.at(-1)?.message).toBe(
    'Job mnist has failed because it has reached the specified backoff limit',
  )
  expect(last.deletePods).toEqual(pods)
})

test('restarts of containers count towards the back-off limit', () => {
  const job = storedJob(
    { Worker: replicas(1, { restartPolicy: 'OnFailure' }) },
    { runPolicy: { backoffLimit: 3 } },
  )
  const pods = (restartCount: number): Persisted<Pod>[] => [
    podOf(job, 'Worker', 0, { phase: 'Running', restartCount }),
  ]
  expect(conditions(plan(job, { pods: pods(2) }).status)).toContain('Running=True TFJobRunning')
  expect(conditions(plan(job, { pods: pods(3) }).status)).toContain('Failed=True TFJobFailed')
})

test('a job past its deadline fails and loses its pods; before, it is looked at again in time', () => {
  const job = storedJob({ Worker: replicas(1) }, { runPolicy: { activeDeadlineSeconds: 60 } })
  const pods = [podOf(job, 'Worker', 0, { phase: 'Running' })]
  const begun = plan(job, { pods })
  expect(begun.againAfterMs).toBe(60_000)
  const late = plan(after(job, begun), { pods, now: start + 60_000 })
  expect(late.deletePods).toEqual(pods)
  expect(late.status.conditions?.at(-1)).toMatchObject({
    type: 'Failed',
    message: 'Job mnist has failed because it was active longer than specified deadline',
  })
  expect(late.status.replicaStatuses?.Worker?.active).toBeUndefined()
})

test.each([
  ['None', []],
  ['Running', ['mnist-ps-0', 'mnist-worker-1']],
  ['All', ['mnist-ps-0', 'mnist-worker-0', 'mnist-worker-1']],
] as const)('clean-up policy %s removes %j when the job has ended', (cleanPodPolicy, removed) => {
  const job = storedJob({ PS: replicas(1), Worker: replicas(2) }, { runPolicy: { cleanPodPolicy } })
  const pods = [
    podOf(job, 'PS', 0, { phase: 'Running' }),
    podOf(job, 'Worker', 0, { phase: 'Succeeded', exitCode: 0 }),
    podOf(job, 'Worker', 1, { phase: 'Pending' }),
  ]
  const services = [serviceOf(job, 'PS', 0), serviceOf(job, 'Worker', 0), serviceOf(job, 'Worker', 1)]
  const ended = after(job, plan(job, { pods, services }))
  const cleaned = plan(ended, { pods, services })
  expect(cleaned.deletePods.map((pod) => pod.metadata.name)).toEqual(removed)
  expect(cleaned.deleteServices.map((service) => service.metadata.name)).toEqual(removed)
  expect(cleaned.missing).toEqual([])
  expect(cleaned.status.replicaStatuses?.PS).toMatchObject({ succeeded: 1 })
})

test('an ended job is removed after its time to live', () => {
  const job = storedJob({ Worker: replicas(1) }, { runPolicy: { ttlSecondsAfterFinished: 30 } })
  const pods = [podOf(job, 'Worker', 0, { phase: 'Succeeded', exitCode: 0 })]
  const ended = after(job, plan(job, { pods }))
  expect(plan(ended, { pods, now: start + 10_000 })).toMatchObject({ isExpired: false, againAfterMs: 20_000 })
  expect(plan(ended, { pods, now: start + 30_000 }).isExpired).toBe(true)
})

test('a suspended job gives its pods back; resumed, its time begins anew', () => {
  const job = storedJob({ Worker: replicas(1) })
  const pods = [podOf(job, 'Worker', 0, { phase: 'Running' })]
  const services = [serviceOf(job, 'Worker', 0)]
  const running = after(job, plan(job, { pods, services }))
  const asked = {
    ...running,
    ...storedJob({ Worker: replicas(1) }, { runPolicy: { suspend: true } }),
    status: running.status ?? {},
  }
  const suspended = plan(asked, { pods, services })
  expect(suspended.deletePods).toEqual(pods)
  expect(suspended.deleteServices).toEqual(services)
  expect(suspended.missing).toEqual([])
  expect(conditions(suspended.status)).toEqual([
    'Created=True TFJobCreated',
    'Running=False TFJobSuspended',
    'Suspended=True TFJobSuspended',
  ])
  const resumed = plan({ ...job, status: suspended.status })
  expect(conditions(resumed.status)).toContain('Suspended=False TFJobResumed')
  expect(resumed.status.startTime).toBeUndefined()
  expect(resumed.missing).toHaveLength(1)
})

test('fewer replicas than before: the surplus goes', () => {
  const before = storedJob({ Worker: replicas(3) })
  const pods = [0, 1, 2].map((index) => podOf(before, 'Worker', index, { phase: 'Running' }))
  const services = [0, 1, 2].map((index) => serviceOf(before, 'Worker', index))
  const less = storedJob({ Worker: replicas(1) })
  const shrunk = plan(less, { pods, services })
  expect(shrunk.deletePods.map((pod) => pod.metadata.name)).toEqual(['mnist-worker-1', 'mnist-worker-2'])
  expect(shrunk.deleteServices).toHaveLength(2)
})

test('a pod that is going still has the name: its successor waits for it', () => {
  const job = storedJob({ Worker: replicas(1) })
  const going = podOf(job, 'Worker', 0, { phase: 'Running', deletionTimestamp: '2026-01-01T00:00:09Z' })
  expect(plan(job, { pods: [going] }).missing).toEqual([])
})

test('a job that can never run fails at once and says why', () => {
  const { status, notes } = plan(storedJob({}))
  expect(conditions(status)).toContain('Failed=True TFJobFailedValidation')
  expect(notes[0]?.message).toContain('TFJob failed validation because TFJobSpec is not valid')
})

import { expect, test } from 'vitest'
import { tfJob } from '../../../src/operator/kinds/tf-job.ts'
import type { StoredJob } from '../../../src/operator/training-job/kind.ts'
import { buildPod, buildService } from '../../../src/operator/training-job/objects.ts'
import { replicas, roleOf, storedJob } from '../jobs.ts'

function configOf(job: StoredJob, role: string, index: number): unknown {
  const pod = buildPod(tfJob, job, roleOf(job, role), index)
  const value = pod.spec?.containers[0]?.env?.find((one) => one.name === 'TF_CONFIG')?.value
  return value === undefined ? undefined : JSON.parse(value)
}

test('every replica learns the whole cluster and its own place from TF_CONFIG', () => {
  const job = storedJob({ Chief: replicas(1), PS: replicas(1), Worker: replicas(2) })
  const value = buildPod(tfJob, job, roleOf(job, 'Worker'), 1).spec?.containers[0]?.env?.[0]?.value
  expect(value).toBe(
    '{"cluster":{"chief":["mnist-chief-0.dev1.svc:2222"],"ps":["mnist-ps-0.dev1.svc:2222"],"worker":["mnist-worker-0.dev1.svc:2222","mnist-worker-1.dev1.svc:2222"]},"task":{"type":"worker","index":1},"environment":"cloud"}',
  )
})

test('a replica that stands alone gets no TF_CONFIG, nor does one that asks for none', () => {
  expect(configOf(storedJob({ Worker: replicas(1) }), 'Worker', 0)).toBeUndefined()
  expect(configOf(storedJob({ Chief: replicas(undefined) }), 'Chief', 0)).toBeUndefined()
  const annotations = { 'arena.kubeflow.org/disable-tf-config': 'true' }
  expect(configOf(storedJob({ Worker: replicas(2) }, { annotations }), 'Worker', 0)).toBeUndefined()
})

test('a port of its own is told to the others and served by its service', () => {
  const job = storedJob({ PS: replicas(1, { port: 20022 }), Worker: replicas(1) })
  expect(configOf(job, 'Worker', 0)).toMatchObject({
    cluster: { ps: ['mnist-ps-0.dev1.svc:20022'], worker: ['mnist-worker-0.dev1.svc:2222'] },
  })
  expect(buildService(tfJob, job, roleOf(job, 'PS'), 0).spec?.ports).toEqual([
    { name: 'tfjob-port', port: 20022, targetPort: 20022 },
  ])
})

test('with workers that come and go each knows itself and the parameter servers', () => {
  const job = storedJob({ PS: replicas(1), Worker: replicas(2) }, { enableDynamicWorker: true })
  expect(configOf(job, 'Worker', 1)).toEqual({
    sparseCluster: { worker: { 1: 'mnist-worker-1.dev1.svc:2222' }, ps: ['mnist-ps-0.dev1.svc:2222'] },
    task: { type: 'worker', index: 1 },
  })
})

test('pods bear the names, labels and owner that Kubeflow gives them', () => {
  const job = storedJob({ Worker: replicas(2, { restartPolicy: 'ExitCode' }) })
  const pod = buildPod(tfJob, job, roleOf(job, 'Worker'), 0)
  expect(pod.metadata).toEqual({
    name: 'mnist-worker-0',
    namespace: 'dev1',
    labels: {
      'training.kubeflow.org/job-name': 'mnist',
      'training.kubeflow.org/operator-name': 'tfjob-controller',
      'training.kubeflow.org/replica-type': 'worker',
      'training.kubeflow.org/replica-index': '0',
      'training.kubeflow.org/job-role': 'master',
    },
    ownerReferences: [
      {
        apiVersion: 'kubeflow.org/v1',
        kind: 'TFJob',
        name: 'mnist',
        uid: 'uid-mnist',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  })
  expect(pod.spec?.restartPolicy).toBe('Never')
  expect(pod.spec?.containers[0]?.ports).toEqual([
    { name: 'tfjob-port', containerPort: 2222, protocol: 'TCP' },
  ])
  const second = buildPod(tfJob, job, roleOf(job, 'Worker'), 1)
  expect(second.metadata?.labels).not.toHaveProperty(['training.kubeflow.org/job-role'])
})

test('the chief leads where there is one', () => {
  const job = storedJob({ Chief: replicas(1), Worker: replicas(1) })
  const roleLabel = (name: string): unknown =>
    buildPod(tfJob, job, roleOf(job, name), 0).metadata?.labels?.['training.kubeflow.org/job-role']
  expect(roleLabel('Chief')).toBe('master')
  expect(roleLabel('Worker')).toBeUndefined()
})

test('the headless service finds exactly its replica', () => {
  const job = storedJob({ Worker: replicas(2) })
  const service = buildService(tfJob, job, roleOf(job, 'Worker'), 1)
  expect(service.metadata?.name).toBe('mnist-worker-1')
  expect(service.spec).toMatchObject({
    clusterIP: 'None',
    selector: {
      'training.kubeflow.org/job-name': 'mnist',
      'training.kubeflow.org/replica-type': 'worker',
      'training.kubeflow.org/replica-index': '1',
    },
    ports: [{ name: 'tfjob-port', port: 2222 }],
  })
})

test('the command and environment of the user reach the container as they are', () => {
  const text = 'echo "{{ x }}" \'y\'\n# ünï'
  const role = replicas(1)
  const [container] = role.template.spec?.containers ?? []
  if (container) Object.assign(container, { command: ['sh', '-c', text], env: [{ name: 'A', value: text }] })
  const job = storedJob({ Worker: role })
  expect(buildPod(tfJob, job, roleOf(job, 'Worker'), 0).spec?.containers[0]).toMatchObject({
    command: ['sh', '-c', text],
    env: [{ name: 'A', value: text }],
  })
})

test('jobs that could never run are told why', () => {
  expect(tfJob.fault(storedJob({}))).toContain('names no role')
  expect(tfJob.fault(storedJob({ Chief: replicas(2) }))).toContain('one replica only')
  expect(tfJob.fault(storedJob({ Chief: replicas(1), Master: replicas(1) }))).toContain('one role of')
  const other = replicas(1)
  const [container] = other.template.spec?.containers ?? []
  if (container) container.name = 'main'
  expect(tfJob.fault(storedJob({ Worker: other }))).toContain('There is no container named tensorflow')
  expect(tfJob.fault(storedJob({ Worker: replicas(1) }))).toBeUndefined()
})

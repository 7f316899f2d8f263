import { describe, expect, it } from 'vitest'
import type { PodSpec, TFJob } from '../../src/kube/index.ts'
import { jobOf } from './objects.ts'

const base = ['--name=a', '--image=tf:1', '--gpus=1']

function pod(job: TFJob, role: 'Chief' | 'Worker' | 'PS' | 'Evaluator'): PodSpec {
  const spec = job.spec.tfReplicaSpecs[role]?.template.spec
  if (spec === undefined) throw new Error(`no ${role}`)
  return spec
}

function env(job: TFJob, role: 'Chief' | 'Worker' | 'PS'): Record<string, string | undefined> {
  return Object.fromEntries((pod(job, role).containers[0]?.env ?? []).map(({ name, value }) => [name, value]))
}

describe('a TFJob', () => {
  it('of one worker is a chief alone', () => {
    const job = jobOf([...base, 'python train.py'])
    expect(Object.keys(job.spec.tfReplicaSpecs)).toEqual(['Chief'])
    expect(job.metadata).toMatchObject({
      name: 'a',
      namespace: 'dev1',
      labels: { app: 'tfjob', release: 'a', createdBy: 'TFJob', 'arena.dev/owner': 'bob' },
      annotations: {
        'arena.dev/username': 'system:serviceaccount:dev1:bob',
        'arena.kubeflow.org/disable-tf-config': 'true',
        requestGPUsOfJobOwner: '1',
      },
    })
    expect(job.spec.runPolicy).toEqual({ cleanPodPolicy: 'Running' })
    expect(job.spec.tfReplicaSpecs.Chief?.restartPolicy).toBe('Never')
    expect(pod(job, 'Chief').containers[0]).toMatchObject({
      name: 'tensorflow',
      image: 'tf:1',
      workingDir: '/root',
      resources: { limits: { 'nvidia.com/gpu': '1' }, requests: { 'nvidia.com/gpu': '1' } },
    })
    expect(env(job, 'Chief')).toEqual({ HOME: '/root', workers: '1', gpus: '1' })
  })

  it.each([
    ['true'],
    ['null'],
    ['echo "a \'b\' $HOME" && `x`'],
    ['a: b # c'],
    ['[x] {{ .Values.y }} *z &w'],
    ['one\ntwo\n\n  three\t'],
    ['числа 数据 🎉'],
    ['\\n \\\\ \u0000'.replace('\u0000', '')],
  ])('passes the command %j on exactly as typed', (text) => {
    const job = JSON.parse(JSON.stringify(jobOf([...base, text]))) as TFJob
    expect(pod(job, 'Chief').containers[0]?.command).toEqual(['sh', '-c', text])
  })

  it('joins separate words with blanks and takes another shell', () => {
    const job = jobOf([...base, '--shell=bash', '--', 'python', 'main.py', '--max_steps', '10'])
    expect(pod(job, 'Chief').containers[0]?.command).toEqual(['bash', '-c', 'python main.py --max_steps 10'])
  })

  it('gives the chief of a standalone job what was said of the chief, else of the worker', () => {
    const chief = jobOf([...base, '--chief-cpu=2', '--chief-memory=10Gi', 'x'])
    expect(pod(chief, 'Chief').containers[0]?.resources).toEqual({
      limits: { cpu: '2', memory: '10Gi', 'nvidia.com/gpu': '1' },
      requests: { cpu: '2', memory: '10Gi', 'nvidia.com/gpu': '1' },
    })
    const worker = jobOf([...base, '--worker-cpu=3', '--chief-memory=1Gi', '--worker-image=w', 'x'])
    expect(pod(worker, 'Chief').containers[0]).toMatchObject({
      image: 'w',
      resources: { requests: { cpu: '3', memory: '1Gi' } },
    })
  })

  it('has roles with images, amounts, ports and selectors of their own', () => {
    const job = jobOf([
      ...base,
      '--workers=2',
      '--ps=1',
      '--chief',
      '--evaluator',
      '--ps-image=ps:1',
      '--worker-cpu=2',
      '--worker-cpu-limit=4',
      '--ps-memory=1Gi',
      '--selector=zone=a',
      '--ps-selector=kind=cpu',
      '--ps-port=3333',
      'x',
    ])
    const specs = job.spec.tfReplicaSpecs
    expect(Object.entries(specs).map(([role, spec]) => [role, spec?.replicas, spec?.restartPolicy])).toEqual([
      ['PS', 1, 'Never'],
      ['Worker', 2, 'OnFailure'],
      ['Chief', 1, 'Never'],
      ['Evaluator', 1, 'Never'],
    ])
    expect(pod(job, 'PS').containers[0]).toMatchObject({
      image: 'ps:1',
      ports: [{ name: 'tfjob-port', containerPort: 3333 }],
      resources: { limits: { memory: '1Gi' }, requests: { memory: '1Gi' } },
    })
    expect(pod(job, 'PS').nodeSelector).toEqual({ kind: 'cpu' })
    expect(pod(job, 'Worker').nodeSelector).toEqual({ zone: 'a' })
    expect(pod(job, 'Worker').containers[0]?.resources).toEqual({
      limits: { cpu: '4', 'nvidia.com/gpu': '1' },
      requests: { cpu: '2', 'nvidia.com/gpu': '1' },
    })
    expect(pod(job, 'Evaluator').containers[0]?.ports).toBeUndefined()
    expect(env(job, 'PS')['NVIDIA_VISIBLE_DEVICES']).toBe('void')
    expect(job.metadata?.annotations?.['requestGPUsOfJobOwner']).toBe('4')
  })

  it('keeps a worker without a chief from restarting', () => {
    expect(jobOf([...base, '--workers=2', 'x']).spec.tfReplicaSpecs.Worker?.restartPolicy).toBe('Never')
  })

  it('fetches code with git before it starts, without letting values become commands', () => {
    const job = jobOf([
      ...base,
      '--sync-mode=git',
      '--sync-source=https://h/g/sample-code.git',
      '--env=GIT_SYNC_BRANCH=$(x)',
      '--chief-cpu=1',
      'python code/sample-code/main.py',
    ])
    const [init] = pod(job, 'Chief').initContainers ?? []
    const variables = Object.fromEntries((init?.env ?? []).map(({ name, value }) => [name, value]))
    expect(init?.name).toBe('init-code')
    expect(variables).toMatchObject({
      GIT_SYNC_REPO: 'https://h/g/sample-code.git',
      GIT_SYNC_DEST: 'sample-code',
      GIT_SYNC_ROOT: '/code',
      GIT_SYNC_BRANCH: '$(x)',
    })
    expect(init?.command?.join(' ')).not.toContain('sample-code')
    expect(init?.resources).toEqual({ limits: { cpu: '1' }, requests: { cpu: '1' } })
    expect(init?.volumeMounts).toEqual([{ name: 'code-sync', mountPath: '/code' }])
    expect(pod(job, 'Chief').containers[0]?.volumeMounts).toContainEqual({
      name: 'code-sync',
      mountPath: '/root/code',
    })
  })

  it.each([
    ['https://h/a/b.git', 'b'],
    ['git@h:a/b.git', 'b'],
    ['http://127.0.0.1:1/b/', 'b'],
    ['https://h/..', 'code'],
    ['/srv/repo', 'repo'],
  ])('puts code of %s into %s', (source, directory) => {
    const job = jobOf([...base, '--sync-mode=git', `--sync-source=${source}`, 'x'])
    expect(pod(job, 'Chief').initContainers?.[0]?.env).toContainEqual({
      name: 'GIT_SYNC_DEST',
      value: directory,
    })
  })

  it('mounts volumes, for reading only where no more is granted, and shared memory', () => {
    const job = jobOf([...base, '--data=dev1-public:/data', '-d', 'all:/all', '--share-memory=1Gi', 'x'], {
      readOnly: ['all'],
    })
    expect(pod(job, 'Chief').volumes).toEqual([
      { name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
      { name: 'dev1-public', persistentVolumeClaim: { claimName: 'dev1-public' } },
      { name: 'all', persistentVolumeClaim: { claimName: 'all', readOnly: true } },
    ])
    expect(pod(job, 'Chief').containers[0]?.volumeMounts).toEqual([
      { name: 'dshm', mountPath: '/dev/shm' },
      { name: 'dev1-public', mountPath: '/data' },
      { name: 'all', mountPath: '/all', readOnly: true },
    ])
  })

  it("runs as the user's and the group's Linux ids, with a home of its own", () => {
    const spec = pod(jobOf([...base, 'x'], { uid: 20001 }), 'Chief')
    expect(spec.securityContext).toEqual({
      runAsUser: 20001,
      runAsGroup: 10001,
      supplementalGroups: [20000],
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(spec.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    })
    expect(spec.volumes).toContainEqual({ name: 'home', emptyDir: {} })
    expect(spec.automountServiceAccountToken).toBe(false)
    expect(pod(jobOf([...base, 'x']), 'Chief').securityContext).toBeUndefined()
  })

  it('carries policies, priority, gang, tolerations, devices and secrets', () => {
    const job = jobOf(
      [
        ...base,
        '--workers=3',
        '--gang',
        '--clean-task-policy=None',
        '--running-timeout=1h30m',
        '--ttl-after-finished=90s',
        '--success-policy=AllWorkers',
        '--priority=high',
        '--toleration=all',
        '--toleration=gpu=true:NoSchedule,Equal',
        '--toleration=spot:NoExecute',
        '--device=amd.com/gpu=2',
        '--retry=3',
        '--queue',
        '--role-sequence=p,w',
        'x',
      ],
      { settings: { imagePullSecrets: 'one, two' } },
    )
    expect(job.spec.runPolicy).toEqual({
      cleanPodPolicy: 'None',
      activeDeadlineSeconds: 5400,
      ttlSecondsAfterFinished: 90,
      backoffLimit: 3,
    })
    expect(job.spec.successPolicy).toBe('AllWorkers')
    const worker = pod(job, 'Worker')
    expect(worker.priorityClassName).toBe('high')
    expect(worker.imagePullSecrets).toEqual([{ name: 'one' }, { name: 'two' }])
    expect(worker.tolerations).toEqual([
      { operator: 'Exists' },
      { key: 'gpu', operator: 'Equal', value: 'true', effect: 'NoSchedule' },
      { key: 'spot', operator: 'Exists', effect: 'NoExecute' },
    ])
    expect(worker.containers[0]?.resources?.limits).toEqual({ 'nvidia.com/gpu': '1', 'amd.com/gpu': '2' })
    expect(job.spec.tfReplicaSpecs.Worker?.template.metadata?.labels).toMatchObject({
      'pod-group.scheduling.sigs.k8s.io/name': 'tfjob-a',
      'pod-group.scheduling.sigs.k8s.io/min-available': '3',
    })
    expect(job.metadata?.annotations).toMatchObject({
      'scheduling.x-k8s.io/suspend': 'true',
      'job-role-sequence': 'PS,Worker',
    })
  })

  it('does not let labels of the user take over those that say whose job it is', () => {
    const job = jobOf([
      ...base,
      '--label=arena.dev/owner=tom',
      '--label=team=x',
      '--annotation=arena.dev/username=tom',
      'x',
    ])
    expect(job.metadata?.labels).toMatchObject({ 'arena.dev/owner': 'bob', team: 'x' })
    expect(job.metadata?.annotations?.['arena.dev/username']).toBe('system:serviceaccount:dev1:bob')
  })

  it.each([
    [['--name=A', '--image=i', 'x'], 'job name "A" cannot be used'],
    [[`--name=${'a'.repeat(50)}`, '--image=i', 'x'], 'cannot be used'],
    [['--name=a', 'x'], 'flag --image is required'],
    [[...base, '--gpus=-1', 'x'], 'flag --gpus is -1, which is less than 0'],
    [
      [...base, '--env=NOVALUE', 'x'],
      'flag --env has the value "NOVALUE", which is not of the form key=value',
    ],
    [[...base, '--data=vol', 'x'], 'which is not of the form SOURCE:PATH'],
    [[...base, '--data=vol:/a:rw', 'x'], 'which is not of the form SOURCE:PATH'],
    [[...base, '--data=vol:rel', 'x'], 'whose path "rel" is not an absolute path below /'],
    [[...base, '--data=v1:/a', '--data=v1:/b', 'x'], 'but "v1" is mounted already'],
    [[...base, '--chief-cpu=two', 'x'], 'flag --chief-cpu has the value "two", which is no amount'],
    [[...base, '--device=nvidia.com/gpu=1', 'x'], 'but GPUs are asked for with --gpus'],
    [[...base, '--running-timeout=10', 'x'], 'which is no duration'],
    [[...base, '--sync-source=x', 'x'], 'flag --sync-source is given, but not --sync-mode'],
    [[...base, '--sync-mode=git', 'x'], 'flag --sync-mode=git needs --sync-source'],
    [[...base, '--label=a=b c', 'x'], 'whose value cannot be used'],
    [[...base, '--toleration=a=b:Nope', 'x'], 'which is no toleration'],
    [[...base, '  '], 'the command that the job runs is missing'],
  ])('is refused for %j', (words, message) => {
    expect(() => jobOf(words)).toThrow(message)
  })
})

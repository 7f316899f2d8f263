import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { kinds, type Persisted, type TFJob } from '../../src/kube/index.ts'
import { type Company, openCompany } from './company.ts'

let company: Company

beforeAll(async () => {
  company = await openCompany()
})

afterAll(() => company.close())

afterEach(async () => {
  for (const namespace of ['dev1', 'dev2']) {
    await company.client.deleteCollection(kinds.tfJobs, { namespace })
    // Pods give their quota back only when they are gone.
    await company.client.deleteCollection(kinds.pods, { namespace, gracePeriodSeconds: 0 })
    await company.until(
      kinds.resourceQuotas,
      { namespace, name: `${namespace}-compute-resources` },
      (quota) => Object.values(quota.status?.used ?? {}).every((used) => used === '0'),
    )
  }
})

const withState =
  (state: string) =>
  (job: Persisted<TFJob>): boolean =>
    job.status?.conditions?.some(({ type, status }) => type === state && status === 'True') === true

const submit = (name: string, ...flags: string[]): string[] => [
  'submit',
  'tf',
  `--name=${name}`,
  '--gpus=1',
  '--image=tensorflow/tensorflow:1.5.0-devel-gpu',
  ...flags,
  'python main.py',
]
const lasting = (milliseconds: number): string =>
  `--annotation=simulated.arena.dev/run-duration-ms=${milliseconds}`
const ending = (code: number): string => `--annotation=simulated.arena.dev/exit-code=${code}`
const tomsAmounts = ['--chief-cpu=2', '--chief-memory=10Gi']

describe('jobs of a group with one GPU', () => {
  it('run one after the other: the second says what it waits for, and starts by itself', async () => {
    const first = await company.as('bob', submit('tf-git-bob-01'))
    expect(first).toEqual({
      status: 0,
      out: [
        'tfjob.kubeflow.org/tf-git-bob-01 created',
        'The Job tf-git-bob-01 has been submitted successfully',
        'You can run `arena get tf-git-bob-01 --type tfjob -n dev1` to check the job status',
        '',
      ].join('\n'),
      err: '',
    })
    await company.until(kinds.tfJobs, { namespace: 'dev1', name: 'tf-git-bob-01' }, withState('Running'))
    const second = await company.as('bob', submit('tf-git-bob-02', lasting(10)))
    const reason =
      'needs 1 GPU, but quota dev1-compute-resources has 1 of 1 GPU used (tf-git-bob-01 of bob has 1 GPU)'
    expect(second.status).toBe(0)
    expect(second.out).toContain(
      `Waiting (QuotaExceeded): tf-git-bob-02 ${reason}\n  it starts by itself when tf-git-bob-01 ends\n`,
    )
    const listed = (await company.as('bob', ['list'])).out.split('\n')
    expect(listed[0]).toMatch(
      /^NAME +STATUS +TRAINER +DURATION +GPU\(Requested\) +GPU\(Allocated\) +NODE +REASON$/,
    )
    expect(listed[1]).toMatch(/^tf-git-bob-02 +PENDING +TFJOB +0s +1 +0 +N\/A +QuotaExceeded: needs 1 GPU/)
    expect(listed[1]).toContain(`${reason}; it starts by itself when tf-git-bob-01 ends`)
    expect(listed[2]).toMatch(/^tf-git-bob-01 +RUNNING +TFJOB +\d+s +1 +1 +127\.0\.0\.1$/)
    await company.until(
      kinds.events,
      { namespace: 'dev1' },
      (event) => event.involvedObject.name === 'tf-git-bob-02' && event.reason === 'FailedCreatePod',
    )
    const { out } = await company.as('bob', ['get', 'tf-git-bob-02', '-e'])
    expect(out).toMatch(/^Reason: +QuotaExceeded$/m)
    expect(out).toContain(reason)
    expect(out).toMatch(/^tfjob\/tf-git-bob-02 +Warning +\d+s +\[FailedCreatePod\].*exceeded quota/m)
    expect(await company.as('bob', ['delete', 'tf-git-bob-01'])).toMatchObject({
      status: 0,
      out: 'The training job tf-git-bob-01 has been deleted successfully\n',
    })
    await company.until(kinds.tfJobs, { namespace: 'dev1', name: 'tf-git-bob-02' }, withState('Succeeded'))
  })

  it('are refused when they want more than the group or any node will ever have', async () => {
    expect(await company.as('bob', submit('huge', '--gpus=2'))).toMatchObject({
      status: 1,
      err: expect.stringContaining('needs 2 GPUs, and all that group dev1 may ever use is 1 GPU'),
    })
    expect(await company.as('tom', submit('wide', '--gpus=2', ...tomsAmounts))).toMatchObject({
      status: 1,
      err: expect.stringContaining('needs 2 GPUs, and the largest node, worker01, has 1 GPU'),
    })
    expect((await company.as('admin', ['list', '-A', '-o', 'json'])).out).toBe('[]\n')
  })

  it('may be seen by a viewer of the group, who can neither submit nor delete', async () => {
    await company.as('bob', submit('a'))
    expect((await company.as('ann', ['list', '-o', 'name'])).out).toBe('a\n')
    expect(await company.as('ann', ['delete', 'a'])).toMatchObject({ status: 4 })
    expect(await company.as('ann', submit('b'))).toMatchObject({ status: 4 })
  })

  it('are not there for people of another group', async () => {
    await company.as('bob', submit('a'))
    expect((await company.as('tom', ['list', '-o', 'name'])).out).toBe('')
    for (const words of [
      ['list', '-n', 'dev1'],
      ['list', '-A'],
      ['get', 'a', '-n', 'dev1'],
      ['logs', 'a', '-n', 'dev1'],
    ]) {
      expect(await company.as('tom', words)).toMatchObject({ status: 4, out: '' })
    }
    expect(await company.as('tom', ['delete', 'a', '-n', 'dev1'])).toMatchObject({ status: 4, out: '' })
    expect(await company.as('tom', submit('b', '-n', 'dev1'))).toMatchObject({ status: 4, out: '' })
    expect((await company.as('bob', ['list', '-o', 'name'])).out).toBe('a\n')
  })

  it('cannot have the name of another, and cannot be made of a volume that the group has not', async () => {
    await company.as('bob', submit('a'))
    expect(await company.as('bob', submit('a'))).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /^error: job "a" exists already in dev1 \(\w+\)\nhint: choose another --name/,
      ),
    })
    expect(await company.as('bob', submit('b', '--data=dev2-public:/data'))).toMatchObject({
      status: 1,
      err: expect.stringContaining('use one of: dev1-public, everybody-dev1'),
    })
  })
})

describe('jobs of a group with CPU and memory quota', () => {
  it('must name amounts, and run side by side when they do', async () => {
    expect(await company.as('tom', submit('tf-git-tom-01'))).toMatchObject({
      status: 1,
      err: expect.stringContaining('hint: add --chief-cpu=2 and --chief-memory=4Gi'),
    })
    for (const name of ['tf-git-tom-01', 'tf-git-tom-02']) {
      expect(await company.as('tom', submit(name, ...tomsAmounts))).toMatchObject({ status: 0 })
    }
    for (const name of ['tf-git-tom-01', 'tf-git-tom-02']) {
      await company.until(kinds.tfJobs, { namespace: 'dev2', name }, withState('Running'))
    }
    expect((await company.as('tom', ['top', 'job'])).out).toContain(
      'Total Allocated/Requested GPUs of Training Jobs: 2/2',
    )
    const quota = (await company.as('tom', ['quota'])).out
    expect(quota).toMatch(/^dev2 +dev2-compute-resources +GPUs +2 +2 +100%$/m)
    expect(quota).toMatch(/^dev2 +dev2-compute-resources +CPUs +4 +8 +50%$/m)
    expect((await company.as('admin', ['top', 'node'])).out).toContain('2/3 (66.7%)')
    expect((await company.as('tom', ['top', 'node'])).out).toContain(
      '?/3 (only admins see what other groups use)',
    )
  })
})

describe('a job', () => {
  it('that is waited for tells by the exit status how it ended', async () => {
    expect(await company.as('bob', submit('good', '--wait', lasting(10)))).toMatchObject({
      status: 0,
      err: 'good SUCCEEDED\n',
    })
    expect(await company.as('bob', submit('bad', '--wait', lasting(10), ending(3)))).toMatchObject({
      status: 1,
      err: expect.stringContaining('error: job "bad" FAILED'),
    })
    expect((await company.as('bob', ['list'])).out).toMatch(
      /^bad +FAILED .*Crashed: container tensorflow ended with status 3$/m,
    )
  })

  it('runs with the ids of the user and the group, and may only read what the group may only read', async () => {
    await company.as('bob', submit('a', '--data=everybody-dev1:/all'))
    const { out } = await company.as('bob', [
      'submit',
      'tf',
      '--name=b',
      '--image=i',
      '-d',
      'everybody-dev1:/all',
      '--dry-run',
      '-o',
      'json',
      'x',
    ])
    const spec = (JSON.parse(out) as TFJob).spec.tfReplicaSpecs.Chief?.template.spec
    expect(spec?.securityContext).toMatchObject({ runAsUser: 20001, runAsGroup: 10001 })
    expect(spec?.containers[0]?.volumeMounts).toContainEqual({
      name: 'everybody-dev1',
      mountPath: '/all',
      readOnly: true,
    })
    expect((await company.as('bob', ['list', '-o', 'name'])).out).toBe('a\n')
  })

  it('that is deleted with others does not keep them from going', async () => {
    for (const name of ['a', 'b']) await company.as('bob', submit(name))
    const { status, out, err } = await company.as('bob', ['delete', 'a', 'none', 'b'])
    expect(status).toBe(3)
    expect(out.match(/deleted successfully/g)).toHaveLength(2)
    expect(err).toContain('there is no job "none" in dev1')
    expect((await company.as('bob', ['list', '-o', 'name'])).out).toBe('')
  })

  it('whose log is followed is waited for, until the reader has had enough', async () => {
    await company.as('bob', submit('a'))
    await company.as('bob', submit('b'))
    expect(await company.as('bob', ['logs', 'b'])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^error: job "b" has not started yet: b needs 1 GPU/),
    })
    const stop = new AbortController()
    const following = company.as('bob', ['logs', '-f', 'b'], { signal: stop.signal })
    await company.until(kinds.tfJobs, { namespace: 'dev1', name: 'b' }, () => true)
    stop.abort(new Error('enough'))
    expect((await following).status).toBe(130)
    expect(await company.as('bob', ['logs', 'a', '-i', 'nobody'])).toMatchObject({ status: 3 })
  })
})

describe('a user', () => {
  it('sees the volumes of the own group without naming it', async () => {
    const { out } = await company.as('bob', ['data', 'list'])
    expect(out).toMatch(/^NAME +ACCESSMODE +DESCRIPTION +OWNER +AGE$/m)
    expect(out).toMatch(/^dev1-public +ReadWriteMany +data of dev1 +dev1 +\d+s$/m)
    expect(out).toMatch(/^everybody-dev1 +ReadOnlyMany /m)
    expect((await company.as('admin', ['data', 'list', '-n', 'dev2', '-o', 'name'])).out).toBe(
      'everybody-dev2\n',
    )
  })

  it('learns who the server thinks they are', async () => {
    const { out } = await company.as('bob', ['whoami'])
    expect(JSON.parse(out)).toMatchObject({
      Name: 'system:serviceaccount:dev1:bob',
      Id: 'bdc1dee746f2aa9a0426d94cb3adec34',
      IsAdminUser: false,
      Namespace: 'dev1',
    })
    expect(JSON.parse((await company.as('admin', ['whoami'])).out)).toMatchObject({ IsAdminUser: true })
  })
})

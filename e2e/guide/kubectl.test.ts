import { copyFile, cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guideSubmit, jobsOf, waitForJob } from './jobs.ts'
import { type Person, type Result, repositoryRoot, setStage, type Stage } from './stage.ts'

/** The guide with the admin's single steps, as they stand in it, done with a stock kubectl. */
describe('the guide by hand', () => {
  let stage: Stage
  const stop = new AbortController()
  const signal = stop.signal
  const manual = join(repositoryRoot, 'examples/guide/manual')

  const must = async (person: Person, line: string): Promise<Result> => {
    const result = await stage.run(person, line.split(' '))
    expect(result.status, `${line}\n${result.output}`).toBe(0)
    return result
  }

  beforeAll(async () => {
    stage = await setStage()
    await cp(manual, stage.home('admin'), { recursive: true })
    await must('admin', 'arena cluster start --config cluster.yaml --detach')
  })

  afterAll(async () => {
    stop.abort()
    await stage.close()
  })

  it('creates groups and users (step 1)', async () => {
    for (const [group, user] of [
      ['dev1', 'bob'],
      ['dev2', 'tom'],
    ]) {
      await must('admin', `kubectl create namespace ${group}`)
      await must('admin', `kubectl create serviceaccount ${user} -n ${group}`)
      const { stdout } = await must('admin', `kubectl get serviceaccount -n ${group}`)
      expect(stdout).toMatch(new RegExp(`^${user} `, 'm'))
    }
  })

  it('makes a kubeconfig for each user (step 2)', async () => {
    for (const [group, user] of [
      ['dev1', 'bob'],
      ['dev2', 'tom'],
    ] as const) {
      await must('admin', `./createKubeConfig.sh ${user} -n ${group}`)
      await mkdir(join(stage.home(user as Person), '.kube'), { recursive: true })
      await copyFile(
        join(stage.home('admin'), `${user}.config`),
        join(stage.home(user as Person), '.kube/config'),
      )
      const { stdout } = await must(user as Person, 'arena whoami')
      const name = `system:serviceaccount:${group}:${user}`
      expect(JSON.parse(stdout)).toMatchObject({ Name: name, Namespace: group })
    }
  })

  it('gives each user a least-privilege role of the group (step 3)', async () => {
    for (const file of ['dev1_roles', 'dev2_roles', 'bob_rolebindings', 'tom_rolebindings'])
      await must('admin', `kubectl apply -f ${file}.yaml`)
    expect((await must('admin', 'kubectl get role -n dev1')).stdout).toContain('dev1')
    expect((await must('admin', 'kubectl get rolebinding -n dev1')).stdout).toContain('Role/dev1')
    for (const question of [
      'get secrets -n dev1',
      'list pods -n dev2',
      'list pods -A',
      'create rolebindings -n dev1',
    ]) {
      const { stdout } = await stage.run('bob', ['kubectl', 'auth', 'can-i', ...question.split(' ')])
      expect(stdout.trim(), question).toBe('no')
    }
  })

  it('sets quotas and shows what is used of them (step 4)', async () => {
    for (const group of ['dev1', 'dev2']) {
      await must('admin', `kubectl apply -f ${group}_quota.yaml`)
      expect((await must('admin', `kubectl get resourcequotas -n ${group}`)).stdout).toContain(
        `${group}-compute-resources`,
      )
      const { stdout } = await must(
        'admin',
        `kubectl describe resourcequotas ${group}-compute-resources -n ${group}`,
      )
      expect(stdout).toMatch(new RegExp(`requests\\.nvidia\\.com/gpu +0 +${group === 'dev1' ? 1 : 2}`))
    }
  })

  it('shows each group its own two volumes (step 5)', async () => {
    await must('admin', 'kubectl apply -f pvs.yaml')
    await must('admin', 'kubectl apply -f pvcs.yaml')
    const phases = 'kubectl get pvc -A -o jsonpath={.items[*].status.phase}'
    await expect
      .poll(async () => (await stage.run('admin', phases.split(' '))).stdout, { timeout: 20_000 })
      .toBe('Bound Bound Bound Bound')
    for (const [group, other] of [
      ['dev1', 'dev2'],
      ['dev2', 'dev1'],
    ]) {
      const { stdout } = await must('admin', `arena data list -n ${group}`)
      expect(stdout).toMatch(new RegExp(`^${group}-public `, 'm'))
      expect(stdout).toMatch(new RegExp(`^department1-public-${group} `, 'm'))
      expect(stdout).not.toContain(`${other}-public `)
    }
  })

  it("runs bob's first job and lets the second wait, with the reason (step 6)", async () => {
    expect((await must('bob', 'arena data list')).stdout).toContain('department1-public-dev1')
    expect((await stage.run('bob', guideSubmit(stage, 'tf-git-bob-01'))).status).toBe(0)
    await waitForJob(stage, 'bob', 'tf-git-bob-01', ['RUNNING'], { timeoutMs: 30_000, signal })
    const second = await stage.run('bob', guideSubmit(stage, 'tf-git-bob-02'))
    expect(second.status).toBe(0)
    expect(second.output).toMatch(/QuotaExceeded.*1 of 1 GPU/)
    const listed = (await jobsOf(stage, 'bob')).find(({ name }) => name === 'tf-git-bob-02')
    expect(listed).toMatchObject({ status: 'PENDING', reason: 'QuotaExceeded' })
  })

  it('runs both jobs of tom at the same time, who sees none of bob (step 6)', async () => {
    expect((await must('tom', 'arena list')).stdout).not.toContain('bob')
    for (const name of ['tf-git-tom-01', 'tf-git-tom-02'])
      expect(
        (await stage.run('tom', guideSubmit(stage, name, '--chief-cpu=2', '--chief-memory=10Gi'))).status,
      ).toBe(0)
    for (const name of ['tf-git-tom-01', 'tf-git-tom-02'])
      await waitForJob(stage, 'tom', name, ['RUNNING'], { timeoutMs: 30_000, signal })
    expect((await jobsOf(stage, 'tom')).map(({ status }) => status)).toEqual(['RUNNING', 'RUNNING'])
  })

  it('starts the job that waited when the group has room again', async () => {
    await must('bob', 'arena delete tf-git-bob-01')
    await waitForJob(stage, 'bob', 'tf-git-bob-02', ['RUNNING'], { timeoutMs: 30_000, signal })
  })
})

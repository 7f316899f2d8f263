import { chown, lstat, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
const isRoot = process.getuid?.() === 0
let company: TestOrganisation

beforeEach(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
})
afterEach(() => company.close())

const file = (): Promise<string> => readFile(join(company.directory, 'org.yaml'), 'utf8')

describe('small changes', () => {
  it('edit the file, keep its comments, and make the cluster follow', async () => {
    const added = await company.arena('user', 'add', 'ann', '-g', 'dev1', '--full-name', 'Ann A')
    expect(added.status, added.err).toBe(0)
    await company.arena('user', 'grant', 'ann', 'dev2', 'viewer', '--until', '2099-12-31')
    await company.arena('group', 'add', 'dev3', '--quota', 'gpu=1')
    await company.arena('group', 'set-quota', 'dev2', 'gpu=4', 'cpu=none')
    await company.arena(
      'volume',
      'add',
      'scratch',
      '--size',
      '1Gi',
      '--access',
      'dev3=write',
      '--directory',
      '/srv/x',
    )
    const text = await file()
    expect(text).toContain('ann: { uid: 20003, name: Ann A }')
    expect(text).toContain('# CPU and memory: as much as the cluster has')
    expect(text).toContain('quota: { gpu: 4, memory: 60Gi }')
    expect((await company.arena('org', 'plan')).out).toContain('nothing to do')
    const quota = await company.client.get(kinds.resourceQuotas, {
      namespace: 'dev2',
      name: 'dev2-compute-resources',
    })
    expect(quota.spec?.hard).toEqual({ 'requests.nvidia.com/gpu': '4', 'requests.memory': '60Gi' })
  })

  it('that would make the file wrong leave it as it was', async () => {
    const refused = await company.arena('group', 'set-quota', 'dev2', 'gpus=4')
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining('it was left as it is') })
    expect(await file()).toBe(guide)
    expect(await company.arena('user', 'grant', 'bbo', 'dev1', 'lead')).toMatchObject({
      status: 3,
      err: expect.stringContaining('did you mean "bob"?'),
    })
  })

  it('that were interrupted after the file had changed are finished by the same command', async () => {
    await company.arena('user', 'grant', 'bob', 'dev2', 'viewer', '--edit-only')
    const again = await company.arena('user', 'grant', 'bob', 'dev2', 'viewer')
    expect(again, again.err).toMatchObject({
      status: 0,
      out: expect.stringContaining('bob gains the role viewer in dev2'),
      err: expect.stringContaining('org.yaml says so already'),
    })
    const nothing = await company.arena('user', 'grant', 'bob', 'dev2', 'viewer', '-o', 'json')
    expect(JSON.parse(nothing.out)).toMatchObject({ pending: false, outcomes: [] })
    await company.arena('user', 'add', 'ann', '-g', 'dev1', '--edit-only')
    expect((await company.arena('user', 'add', 'ann', '-g', 'dev1')).err).toContain(
      'what was interrupted goes on with: arena org apply',
    )
  })

  it('that take something away need consent, and leave the file as it was without', async () => {
    expect((await company.arena('user', 'move', 'bob', 'dev2')).status).toBe(1)
    expect(await file()).toBe(guide)
    expect((await company.arena('user', 'move', 'bob', 'dev2', '--allow-destroy')).status).toBe(0)
    await company.client.get(kinds.serviceAccounts, { namespace: 'dev2', name: 'bob' })
  })

  it('are kept in the history, which can be shown and compared', async () => {
    await company.arena('group', 'set-quota', 'dev1', 'gpu=3')
    const history = JSON.parse((await company.arena('org', 'history', '-o', 'json')).out)
    expect(history.map((each: { number: number; done: number }) => [each.number, each.done])).toEqual([
      [2, 1],
      [1, 28],
    ])
    expect((await company.arena('org', 'history', '1')).out).toBe(guide)
    expect((await company.arena('org', 'diff', '1', '2')).out).toContain(
      'spec.hard.requests.nvidia.com/gpu: 1 -> 3',
    )
    expect((await company.arena('org', 'diff', '2')).out).toBe('no difference\n')
  })
})

describe('changes at the same time', () => {
  it('of the file alone are all kept', async () => {
    const names = ['ann', 'eve', 'max', 'zoe']
    const all = await Promise.all(
      names.map((name) => company.arena('user', 'add', name, '-g', 'dev1', '--edit-only')),
    )
    for (const { status, err } of all) expect(status, err).toBe(0)
    const text = await file()
    const ids = names.map((name) => new RegExp(`${name}: { uid: (\\d+) }`).exec(text)?.[1])
    expect(new Set(ids).size).toBe(4)
    expect((await company.arena('org', 'check')).status).toBe(0)
  })

  it('that start a file start it once', async () => {
    const both = await Promise.all([
      company.arena('org', 'init', '-f', 'new.yaml', '--name', 'one'),
      company.arena('org', 'init', '-f', 'new.yaml', '--name', 'two'),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual([0, 1])
    expect(both.find(({ status }) => status === 1)?.err).toContain('exists already')
  })

  it('reach the file that a link names, and leave it to its owner', async () => {
    const real = join(company.directory, 'real.yaml')
    const link = join(company.directory, 'link.yaml')
    await writeFile(real, guide, { mode: 0o640 })
    await symlink('real.yaml', link)
    if (isRoot) await chown(real, 20555, 20556)
    await company.arena('user', 'add', 'ann', '-g', 'dev1', '--edit-only', '-f', 'link.yaml')
    expect(await readFile(real, 'utf8')).toContain('ann: { uid')
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    const { uid, gid, mode } = await stat(real)
    expect(mode & 0o777).toBe(0o640)
    if (isRoot) expect([uid, gid]).toEqual([20555, 20556])
  })
})

describe('questions', () => {
  it('go to standard error, so that what is printed may go to a file', async () => {
    await company.write(guide.replace('gpu: 1 }', 'gpu: 2 }'))
    const refused = await company.run(['org', 'apply', '-o', 'json'], { answers: 'n' })
    expect(refused).toMatchObject({
      status: 130,
      out: '',
      err: expect.stringContaining('Make these changes?'),
    })
    const applied = await company.run(['org', 'apply', '-o', 'json'], { answers: 'y' })
    expect(applied.status, applied.err).toBe(0)
    expect(JSON.parse(applied.out).outcomes).toHaveLength(1)
  })

  it('are answered with no by a bare Enter when something is taken away, and with yes otherwise', async () => {
    const removed = await company.run(['user', 'remove', 'bob', '--no-host'], { answers: '\r' })
    expect(removed.status).toBe(130)
    await company.client.get(kinds.serviceAccounts, { namespace: 'dev1', name: 'bob' })
    expect((await company.run(['user', 'grant', 'bob', 'dev2', 'viewer'], { answers: '\r' })).status).toBe(0)
  })
})

describe('days and numbers that cannot be', () => {
  it('are refused, before a grant that has ended takes what it names', async () => {
    for (const [day, reason] of [
      ['2020-01-01', '--until 2020-01-01 has passed'],
      ['2099-02-30', 'is no day of the calendar'],
      ['soon', 'is no day of the calendar'],
    ] as const) {
      for (const grant of [
        ['user', 'grant', 'bob', 'dev1', 'member'],
        ['volume', 'grant', 'dev1-public', 'dev1', 'write'],
      ]) {
        const refused = await company.arena(...grant, '--until', day)
        expect(refused).toMatchObject({ status: 1, err: expect.stringContaining(reason) })
      }
    }
    expect(await file()).toBe(guide)
    const today = new Date().toISOString().slice(0, 10)
    expect((await company.arena('user', 'grant', 'bob', 'dev2', 'viewer', '--until', today)).status).toBe(0)
    expect(await company.arena('org', 'history', 'first')).toMatchObject({
      status: 1,
      err: expect.stringContaining('revision "first" is no number'),
    })
  })
})

describe('what takes the rights of an admin', () => {
  it('is refused to a member in words for a member', async () => {
    await company.arena('user', 'kubeconfig', 'bob', '--static', '-o', 'bob.config')
    const environment = { KUBECONFIG: join(company.directory, 'bob.config') }
    for (const typed of [
      'org plan',
      'org apply',
      'org drift',
      'org drift --watch',
      'org status',
      'org history',
      'org history 1',
      'org diff 1',
      'org export',
      'org init --import cluster -f new.yaml',
      'user kubeconfig tom',
      'group set-quota dev1 gpu=9',
    ]) {
      const refused = await company.run(typed.split(' '), {
        environment,
        signal: AbortSignal.timeout(10_000),
      })
      expect(refused.status, `${typed}: ${refused.err}`).toBe(4)
      expect(refused.err).toMatch(
        /only admins (see all of|change) the organisation|only admins make kubeconfigs/,
      )
      expect(refused.err).toContain("take an admin's kubeconfig: --config FILE")
      expect(refused.err).not.toContain('-n GROUP')
    }
  })
})

describe('a plan that was written down', () => {
  it('is carried out as reviewed, and refused when the cluster or the file moved on', async () => {
    await company.write(guide.replace('gpu: 1 }', 'gpu: 2 }'))
    expect((await company.arena('org', 'plan', '--plan-out', 'plan.json')).status).toBe(2)
    expect((await stat(join(company.directory, 'plan.json'))).mode & 0o777).toBe(0o600)
    await company.client.delete(kinds.roleBindings, { namespace: 'dev1', name: 'arena:bob:member' })
    const moved = await company.arena('org', 'apply', '--plan', 'plan.json')
    expect(moved).toMatchObject({ status: 1, err: expect.stringContaining('the cluster changed since') })
    await company.arena('org', 'plan', '--plan-out', 'plan.json')
    await company.write(guide)
    expect((await company.arena('org', 'apply', '--plan', 'plan.json')).err).toContain(
      'org.yaml changed since',
    )
    await company.write(guide.replace('gpu: 1 }', 'gpu: 2 }'))
    for (const [typed, reason] of [
      [['--adopt'], 'made without --adopt'],
      [['-f', 'other.yaml'], 'other.yaml changed since'],
      [['-f', 'none.yaml'], 'cannot be read'],
    ] as const) {
      await writeFile(join(company.directory, 'other.yaml'), guide)
      const refused = await company.arena('org', 'apply', '--plan', 'plan.json', ...typed)
      expect(refused.err).toContain(reason)
    }
    expect((await company.arena('org', 'apply', '--plan', 'plan.json', '-f', 'org.yaml')).status).toBe(0)
    expect((await company.arena('org', 'apply', '--plan', 'plan.json')).out).toContain('nothing to do')
  })
})

describe('drift', () => {
  it('is found with who did it, named when it is a right beside the file, and mended', async () => {
    expect((await company.arena('org', 'drift')).status).toBe(0)
    const quota = { namespace: 'dev2', name: 'dev2-compute-resources' }
    await company.client.patch(
      kinds.resourceQuotas,
      quota,
      { type: 'merge', patch: { spec: { hard: { 'requests.cpu': '999' } } } },
      { fieldManager: 'eve' },
    )
    await company.client.create(
      kinds.roleBindings,
      {
        metadata: { name: 'evil' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'dev2', name: 'tom' }],
      },
      { namespace: 'dev1' },
    )
    const found = await company.arena('org', 'drift')
    expect(found.status).toBe(2)
    expect(found.out).toContain('ResourceQuota dev2/dev2-compute-resources: changed (whoever uses "eve"')
    expect(found.out).toContain(
      'binding "evil" gives ClusterRole cluster-admin in dev1 to ServiceAccount dev2/tom',
    )
    const log = {
      verb: 'patch',
      user: { username: 'mallory' },
      objectRef: { resource: 'resourcequotas', namespace: 'dev2', name: quota.name },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: '2026-11-24T07:00:00.000000Z',
    }
    await writeFile(join(company.directory, 'audit.log'), `${JSON.stringify(log)}\n{"half":`)
    expect((await company.arena('org', 'drift', '--audit-log', 'audit.log')).out).toContain(
      '(mallory, by patch, at',
    )
    const toGroups = { 'everybody-of-dev1': 'system:serviceaccounts:dev1', everybody: 'system:authenticated' }
    for (const [name, group] of Object.entries(toGroups)) {
      await company.client.create(kinds.clusterRoleBindings, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'Group', name: group }],
      })
      expect((await company.arena('org', 'drift')).out).toContain(
        `binding "${name}" gives ClusterRole cluster-admin in the whole cluster to Group ${group}, beside the file`,
      )
    }
    const mended = await company.arena('org', 'drift', '--repair', '-o', 'json')
    expect(mended.status).toBe(2)
    expect(JSON.parse(mended.out)).toMatchObject({
      drift: [{ name: quota.name, who: expect.stringContaining('eve') }],
      strangers: expect.arrayContaining([expect.objectContaining({ binding: 'evil' })]),
      outcomes: [{ name: quota.name, result: 'done' }],
    })
    expect((await company.client.get(kinds.resourceQuotas, quota)).spec?.hard?.['requests.cpu']).toBe('8')
  })
})

describe('somebody who leaves', () => {
  it('loses the account, leaves a receipt, and comes back with undo within its time', async () => {
    const removed = await company.arena('user', 'remove', 'bob', '--no-host')
    expect(removed.status, removed.err).toBe(0)
    const account = { namespace: 'dev1', name: 'bob' }
    await expect(company.client.get(kinds.serviceAccounts, account)).rejects.toMatchObject({
      reason: 'NotFound',
    })
    expect(await file()).not.toContain('bob')
    const receipt = /receipt: (\S+);/.exec(removed.err)?.[1] ?? ''
    expect((await stat(receipt)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(receipt, 'utf8'))).toMatchObject({
      user: 'bob',
      uid: 20001,
      memberships: { dev1: 'member' },
      jobs: [],
    })
    const late = await company.run(['user', 'remove', 'bob', '--undo', '--no-host'], {
      now: new Date(Date.now() + 8 * 86_400_000),
    })
    expect(late).toMatchObject({ status: 1, err: expect.stringContaining('could be undone until') })
    const back = await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    expect(back.status, back.err).toBe(0)
    await company.client.get(kinds.serviceAccounts, account)
    expect((await company.arena('org', 'diff', '1')).out).toBe('no difference\n')
  })

  it('has jobs that are stopped or handed to somebody else', async () => {
    const job = (name: string) => ({
      apiVersion: 'kubeflow.org/v1' as const,
      kind: 'TFJob' as const,
      metadata: { name, labels: { 'arena.dev/owner': 'bob' } },
      spec: {
        runPolicy: { suspend: true },
        tfReplicaSpecs: {
          Worker: { replicas: 1, template: { spec: { containers: [{ name: 'tensorflow', image: 'x' }] } } },
        },
      },
    })
    await company.client.create(kinds.tfJobs, job('one'), { namespace: 'dev1' })
    const handed = await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'hand-to', 'tom')
    expect(handed.err).toContain('job dev1/one: handed over')
    const one = await company.client.get(kinds.tfJobs, { namespace: 'dev1', name: 'one' })
    expect(one.metadata.labels?.['arena.dev/owner']).toBe('tom')
    await company.arena('user', 'remove', 'bob', '--undo', '--no-host')
    const again = await company.client.get(kinds.tfJobs, { namespace: 'dev1', name: 'one' })
    expect(again.metadata.labels?.['arena.dev/owner']).toBe('bob')
    expect((await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'stop')).err).toContain(
      'job dev1/one: stopped',
    )
  })
})

describe('an organisation that is there already', () => {
  it('is exported as a file that says the same', async () => {
    const exported = await company.arena('org', 'export')
    await writeFile(join(company.directory, 'exported.yaml'), exported.out)
    expect((await company.arena('org', 'diff', 'org.yaml', 'exported.yaml')).out).toBe('no difference\n')
    expect((await company.arena('org', 'plan', '-f', 'exported.yaml')).status).toBe(0)
  })

  it('is exported without its file, or over it, when that is the only one or is named', async () => {
    const exported = await company.arena('org', 'export')
    for (const lost of [() => rm(join(company.directory, 'org.yaml')), () => company.write('')]) {
      await lost()
      const again = await company.arena('org', 'export')
      expect(again).toMatchObject({ status: 0, err: expect.stringContaining('SSH keys') })
      expect(again.out).toBe(exported.out)
    }
    expect((await company.arena('org', 'export', '-f', 'no.yaml')).err).toContain('cannot be read')
    await company.write(guide.replace('department1\n', 'company2\n').replaceAll(/\bdev([12])\b/g, 'lab$1'))
    expect((await company.arena('org', 'apply')).status).toBe(0)
    expect((await company.arena('org', 'export')).out).toContain('organisation: company2')
    await company.write('')
    expect(await company.arena('org', 'export')).toMatchObject({
      status: 1,
      err: expect.stringContaining('--name company2, --name department1'),
    })
    expect((await company.arena('org', 'export', '--name', 'department1')).out).toBe(exported.out)
    expect(await company.arena('org', 'export', '--name', 'other')).toMatchObject({
      status: 3,
      err: expect.stringContaining('it has: company2, department1'),
    })
  })

  it('is exported as manifests for kubectl', async () => {
    const { out } = await company.arena('org', 'export', '--manifests', '-o', 'json')
    expect(JSON.parse(out).items).toHaveLength(28)
  })

  it('is read from CSV', async () => {
    await writeFile(
      join(company.directory, 'people.csv'),
      'user,group,role,name\nbob,dev1,member,"Bob ""B"" Smith"\ntom,dev2,,\r\nbob,dev2,viewer,\n',
    )
    const made = await company.arena(
      'org',
      'init',
      '--import',
      'people.csv',
      '-f',
      'csv.yaml',
      '--name',
      'acme',
    )
    expect(made.status, made.err).toBe(0)
    expect((await company.arena('org', 'check', '-f', 'csv.yaml')).status).toBe(0)
    expect(await readFile(join(company.directory, 'csv.yaml'), 'utf8')).toMatchSnapshot()
  })

  it('is read from what spreadsheets write, with a note of columns that mean nothing', async () => {
    const init = async (text: string) => {
      await writeFile(join(company.directory, 'people.csv'), text)
      return company.arena('org', 'init', '--import', 'people.csv', '-f', 'csv.yaml', '--force')
    }
    const made = await init('\uFEFFUser;Group;Roel\r\nann;dev7;lead\r\n')
    expect(made).toMatchObject({ status: 0, err: expect.stringContaining('mean nothing here: roel') })
    const written = async () => readFile(join(company.directory, 'csv.yaml'), 'utf8')
    expect(await written()).toContain('members: { ann: member }')
    await init('user\tgroup\trole\nmax, jr\tdev7\tlead\n')
    expect(await written()).toContain('lead')
    const before = await written()
    expect((await init('user,group\n')).err).toContain('names nobody')
    expect((await init('user,uid,group\nann,20001,dev7\nann,20002,dev8\n')).err).toContain(
      'gives user "ann" the id 20002 in line 3, and 20001 before',
    )
    expect((await init('user,group,gid\nann,dev7,10001\nmax,dev7,10002\n')).err).toContain(
      'gives group "dev7" the id 10002 in line 3, and 10001 before',
    )
    expect(await written()).toBe(before)
  })

  it('is read from namespaces, accounts and bindings that people made by hand, and then taken over', async () => {
    await company.client.create(kinds.namespaces, { metadata: { name: 'lab' } })
    await company.client.create(kinds.serviceAccounts, { metadata: { name: 'eve' } }, { namespace: 'lab' })
    await company.client.create(
      kinds.roles,
      {
        metadata: { name: 'runner' },
        rules: [{ apiGroups: ['kubeflow.org'], resources: ['tfjobs'], verbs: ['create', 'get', 'list'] }],
      },
      { namespace: 'lab' },
    )
    await company.client.create(
      kinds.roleBindings,
      {
        metadata: { name: 'eve-runner' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'runner' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'lab', name: 'eve' }],
      },
      { namespace: 'lab' },
    )
    await company.client.create(kinds.clusterRoleBindings, {
      metadata: { name: 'eve-everywhere' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'lab', name: 'eve' }],
    })
    const other = await company.arena('org', 'init', '--import', 'cluster', '-f', 'other.yaml')
    expect(other.err).toContain(
      'organisation department1 has these groups, which no other can take over: dev1, dev2; leave them out, or go on with that one: --name department1',
    )
    const made = await company.arena(
      'org',
      'init',
      '--import',
      'cluster',
      '-f',
      'all.yaml',
      '--name',
      'department1',
    )
    expect(made.err).not.toContain('take over')
    expect(made.err).toContain(
      'eve holds ClusterRole "view" in the whole cluster by binding "eve-everywhere", which the file cannot say',
    )
    expect(made.err).toContain('eve in lab: member, as Role "runner" comes nearest to it')
    const applied = await company.arena('org', 'apply', '-f', 'all.yaml', '--adopt')
    expect(applied.status, applied.err).toBe(0)
    expect(applied.out).toContain('taken over Namespace lab')
    expect((await company.arena('org', 'plan', '-f', 'all.yaml')).status).toBe(0)
  })
})

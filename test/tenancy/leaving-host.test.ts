import { on, once } from 'node:events'
import { watch } from 'node:fs'
import { chown, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '../../src/kube/index.ts'
import { runBuilt } from './built.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

const isRoot = process.getuid?.() === 0
const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation
let root: string
let home: string

beforeEach(async () => {
  company = await openOrganisation()
  await company.write(guide)
  root = join(company.directory, 'image')
  home = join(root, 'home/bob')
  await mkdir(join(root, 'etc'), { recursive: true })
  const accounts = {
    passwd: 'bob:x:20001:10001::/home/bob:/bin/sh\ntom:x:20002:10002::/home/tom:/bin/sh\n',
    group: 'dev1:x:10001:\ndev2:x:10002:\n',
    shadow: 'bob:$6$hash:20000:0:99999:7:::\ntom:$6$hash:20000:0:99999:7:::\n',
    gshadow: 'dev1:!::\ndev2:!::\n',
  }
  for (const [name, text] of Object.entries(accounts)) await writeFile(join(root, 'etc', name), text)
  await mkdir(join(home, 'notes'), { recursive: true })
  await writeFile(join(home, 'notes/own'), 'bob')
  await writeFile(join(home, 'notes/of-another'), 'ann')
  await writeFile(join(root, 'outside'), 'bob')
  await symlink('../../outside', join(home, 'link'))
  if (!isRoot) return
  for (const path of [home, join(home, 'notes'), join(home, 'notes/own'), join(root, 'outside')]) {
    await chown(path, 20001, 10001)
  }
  await chown(join(home, 'notes/of-another'), 20003, 10001)
  await company.arena('org', 'apply')
  const spec = {
    suspend: true,
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'main', image: 'x', resources: { requests: { cpu: '1', memory: '1Mi' } } }],
      },
    },
  }
  const metadata = { name: 'batch', labels: { 'arena.dev/owner': 'bob' } }
  await company.client.create(kinds.jobs, { metadata, spec }, { namespace: 'dev1' })
})
afterEach(() => company.close())

const idsOf = async (path: string): Promise<string> => {
  const { uid, gid } = await lstat(path)
  return `${uid}:${gid}`
}
const shadowOf = async (name: string): Promise<string | undefined> => {
  const text = await readFile(join(root, 'etc/shadow'), 'utf8')
  return text.split('\n').find((line) => line.startsWith(`${name}:`))
}
async function receipts(): Promise<
  { host: string; jobs: { outcome: string }[]; [field: string]: unknown }[]
> {
  const directory = join(company.directory, 'receipts')
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'))
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8'))))
}

describe.skipIf(!isRoot)('the account and the home of somebody who leaves', () => {
  it('are locked and handed over, jobs kept, and all of it is taken back', async () => {
    const typed = ['user', 'remove', 'bob', '--root', root, '--jobs', 'keep', '--data', 'hand-to', 'tom']
    const removed = await company.arena(...typed)
    expect(removed.status, removed.err).toBe(0)
    expect(removed.err).toContain('job dev1/batch: kept')
    expect(removed.err).toContain(`locked; ${home} belongs to tom now`)
    expect(await shadowOf('bob')).toMatch(/^bob:!\$6\$hash:.*:1:$/)
    expect(await shadowOf('tom')).toBe('tom:$6$hash:20000:0:99999:7:::')
    expect(await idsOf(home)).toBe('20002:10002')
    expect(await idsOf(join(home, 'notes/own'))).toBe('20002:10002')
    expect(await idsOf(join(home, 'notes/of-another'))).toBe('20003:10001')
    expect(await idsOf(join(root, 'outside'))).toBe('20001:10001')
    const job = await company.client.get(kinds.jobs, { namespace: 'dev1', name: 'batch' })
    expect(job.metadata.labels?.['arena.dev/owner']).toBe('bob')

    const back = await company.arena('user', 'remove', 'bob', '--undo')
    expect(back.status, back.err).toBe(0)
    expect(await shadowOf('bob')).toBe('bob:$6$hash:20000:0:99999:7:::')
    expect(await idsOf(join(home, 'notes/own'))).toBe('20001:10001')
    expect(await idsOf(join(home, 'notes/of-another'))).toBe('20003:10001')
  })

  it('are dealt with by the next run when the first is killed over them', async () => {
    const program = await runBuilt()
    // While somebody else holds the database of accounts, the lock cannot be set.
    const held = join(root, 'etc/passwd.lock')
    await writeFile(held, `${process.pid}`)
    const directory = join(company.directory, 'receipts')
    await mkdir(directory, { mode: 0o700 })
    const watcher = watch(directory)
    const changes = on(watcher, 'change')
    const first = program.start(['user', 'remove', 'bob', '--root', root, '--jobs', 'keep'], {
      directory: company.directory,
      environment: { HOME: company.directory, KUBECONFIG: company.cluster.adminKubeconfig },
    })
    const ended = once(first, 'exit')
    try {
      for await (const _change of changes) {
        const [receipt] = await receipts()
        if (receipt?.jobs[0]?.outcome === 'kept') break
      }
    } finally {
      watcher.close()
      if (first.pid !== undefined) process.kill(-first.pid, 'SIGKILL')
      await ended
      await program.remove()
    }
    expect(await shadowOf('bob')).toBe('bob:$6$hash:20000:0:99999:7:::')
    expect(await receipts()).toMatchObject([{ host: 'not reached' }])
    await rm(held)
    const again = await company.arena('user', 'remove', 'bob')
    expect(again.status, again.err).toBe(0)
    expect(await shadowOf('bob')).toMatch(/^bob:!/)
    expect(await receipts()).toMatchObject([{ host: `locked; ${home} stays`, jobs: [{ outcome: 'kept' }] }])
  })

  it('are left alone by the next run too when the first was told so', async () => {
    await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'keep')
    const [finished] = await receipts()
    const path = join(
      company.directory,
      'receipts',
      (await readdir(join(company.directory, 'receipts')))[0] ?? '',
    )
    await writeFile(path, JSON.stringify({ ...finished, host: 'not reached' }))
    const again = await company.arena('user', 'remove', 'bob', '--root', root)
    expect(again.err).toContain('account on this machine: left alone')
    expect(await shadowOf('bob')).toBe('bob:$6$hash:20000:0:99999:7:::')
  })

  it('leave one receipt when the first run was killed before it changed the file', async () => {
    await company.arena('user', 'remove', 'bob', '--no-host', '--jobs', 'keep')
    const [finished] = await receipts()
    const path = join(
      company.directory,
      'receipts',
      (await readdir(join(company.directory, 'receipts')))[0] ?? '',
    )
    await company.write(guide)
    await company.arena('org', 'apply')
    await writeFile(path, JSON.stringify({ ...finished, host: 'not reached', jobs: [] }))
    const again = await company.arena('user', 'remove', 'bob', '--root', root, '--jobs', 'keep')
    expect(again.status, again.err).toBe(0)
    expect(await receipts()).toMatchObject([{ host: `locked; ${home} stays` }])
  })
})

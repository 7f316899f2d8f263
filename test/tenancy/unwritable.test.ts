import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runBuilt } from './built.ts'
import { openOrganisation, runArena, type TestOrganisation } from './organisation.ts'

const run = promisify(execFile)
const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation
let place: string
/** Filling a disk takes one of its own, which root alone can make. */
let mayMount: boolean

beforeAll(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
  place = await mkdtemp(join(tmpdir(), 'arena-full-'))
  mayMount = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place]).then(
    () => true,
    () => false,
  )
})
afterAll(async () => {
  if (mayMount) await run('umount', [place])
  await rm(place, { recursive: true, force: true })
  await company.close()
})

const there = (...typed: string[]) =>
  runArena(typed, {
    directory: place,
    environment: { HOME: company.directory, KUBECONFIG: company.cluster.adminKubeconfig, PATH: '' },
    now: new Date(),
    signal: new AbortController().signal,
  })

const writing = [
  ['user add zed -g dev1', 'organisation file "'],
  ['user add zed -g dev1 --edit-only', 'organisation file "'],
  ['user remove bob --no-host', 'receipt "'],
  ['org plan --plan-out plan.json', 'plan "plan.json"'],
  ['org init -f new.yaml', 'organisation file "'],
  ['user kubeconfig bob', 'file "bob.config"'],
] as const

describe('a place that takes no writing', () => {
  it('as its disk is full is told so, and nothing has changed', async ({ skip }) => {
    if (!mayMount) return skip('only root can make a disk to be filled')
    await copyFile(join(company.directory, 'org.yaml'), join(place, 'org.yaml'))
    await run('sh', ['-c', 'cat /dev/zero > fill || true'], { cwd: place })
    for (const [line, what] of writing) {
      const { status, err } = await there(...line.split(' '))
      expect({ status, err }, line).toEqual({ status: 1, err: expect.stringContaining(what) })
      expect(err, line).toContain('cannot be written\nhint: the disk is full: make room on it')
    }
    await expectNothingChanged()
  })

  it('as it may only be read is told so, and nothing has changed', async ({ skip }) => {
    if (!mayMount) return skip('only root can make a disk to be closed')
    await run('mount', ['-o', 'remount,ro', place])
    for (const [line, what] of writing) {
      const { status, err } = await there(...line.split(' '))
      expect({ status, err }, line).toEqual({ status: 1, err: expect.stringContaining(what) })
      expect(err, line).toContain('cannot be written\nhint: the ')
    }
    await expectNothingChanged()
  })

  async function expectNothingChanged(): Promise<void> {
    expect(await readFile(join(place, 'org.yaml'), 'utf8')).toBe(guide)
    expect((await there('org', 'plan')).status).toBe(0)
    expect((await readdir(place)).filter((name) => /tmp|lock|json|new/.test(name))).toEqual([])
  }
})

describe('an output that takes no writing', () => {
  it('as of a disk that is full, is an error', async ({ skip }) => {
    const full = await open('/dev/full', 'w').catch(() => undefined)
    if (full === undefined) return skip('this machine has no /dev/full')
    const built = await runBuilt()
    try {
      const world = { directory: company.directory, environment: { HOME: company.directory } }
      const child = built.start(['org', 'check'], world, ['ignore', full.fd, 'pipe'])
      const ended = once(child, 'exit')
      let told = ''
      for await (const piece of child.stderr ?? []) told += String(piece)
      expect(told).toBe('error: the output cannot be written: ENOSPC: no space left on device, write\n')
      expect(await ended).toEqual([1, null])
    } finally {
      await full.close()
      await built.remove()
    }
  })
})

describe('receipts that cannot be read', () => {
  it('keep nobody from adding people, when the id is chosen', async () => {
    const path = join(company.directory, 'receipts')
    await rm(path, { recursive: true, force: true })
    // What is no directory is read by nobody, root included.
    await writeFile(path, '')
    expect(await company.arena('user', 'add', 'eve', '-g', 'dev1', '--edit-only')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^error: the receipts in ".*" cannot be read\nhint: /),
    })
    const added = await company.arena('user', 'add', 'eve', '-g', 'dev1', '--uid', '20777', '--edit-only')
    expect(added).toMatchObject({ status: 0, err: expect.stringContaining('had the id 20777 is not known') })
    await rm(path)
    await mkdir(path)
  })
})

describe('somebody whom nobody knows', () => {
  it('is refused before the cluster is asked', async () => {
    const refused = await company.run(['user', 'remove', 'bbo'], {
      environment: { KUBECONFIG: join(company.directory, 'nowhere') },
    })
    expect(refused).toMatchObject({ status: 3, err: expect.stringContaining('did you mean "bob"?') })
  })
})

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { openOrganisation, type TestOrganisation } from '../organisation.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation

beforeAll(async () => {
  company = await openOrganisation()
  await company.write(guide)
  await company.arena('org', 'apply')
  await company.client.create(
    kinds.pods,
    {
      metadata: { name: 'train', labels: { 'arena.dev/owner': 'bob' } },
      spec: {
        nodeSelector: { none: 'such' },
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'dev1-public' } }],
        containers: [{ name: 'main', image: 'x', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
    },
    { namespace: 'dev1' },
  )
})
afterAll(() => company.close())

describe('what a plan says of running jobs', () => {
  it('is what becomes of them when their owner leaves', async () => {
    const fates = [
      [[], 'job dev1/train is stopped'],
      [['--jobs', 'keep'], 'job dev1/train goes on without its owner'],
      [['--jobs', 'hand-to', 'tom'], 'job dev1/train goes to tom'],
    ] as const
    for (const [typed, fate] of fates) {
      const asked = await company.run(['user', 'remove', 'bob', '--no-host', ...typed], { answers: 'n' })
      expect(asked.err).toContain(`Running jobs\n  * ${fate}\n`)
      expect(asked.status).toBe(130)
    }
  })

  it('is that they go on over a quota that became smaller, and until when they have a volume', async () => {
    await company.write(
      guide.replace('quota: { gpu: 1 }', 'quota: { gpu: 0 }').replace('path: /dev1', 'path: /elsewhere'),
    )
    const { out } = await company.arena('org', 'plan')
    expect(out).toContain('group dev1 uses gpu 1 of 0: running jobs (train) go on, new ones wait')
    expect(out).toContain('job dev1/train uses volume dev1-public until it ends')
    await company.write(guide)
  })
})

describe('a group whose name is taken', () => {
  it('is named once, and not with everything in it', async () => {
    await company.write(guide.replace('organisation: department1', 'organisation: department2'))
    const { out } = await company.arena('org', 'plan')
    expect(out).toContain('x Namespace dev1 exists and belongs to organisation "department1"')
    expect(out).not.toContain('x Role dev1/')
    await company.write(guide)
  })
})

import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { openOrganisation, type TestOrganisation } from '../organisation.ts'
import { runBuilt } from '../built.ts'

const guide = await readFile('examples/guide/org.yaml', 'utf8')
let company: TestOrganisation

beforeEach(async () => {
  company = await openOrganisation()
  await company.write(guide)
})
afterEach(() => company.close())

describe('arena org apply', () => {
  it('finishes when run again after having been killed at any point', async () => {
    const program = await runBuilt()
    try {
      // Outcomes are printed one by one: killing after the n-th line stops it in the middle of its work.
      for (const lines of [1, 5, 12, 20]) {
        await program.killAfter(lines, ['org', 'apply'], {
          directory: company.directory,
          environment: { HOME: company.directory, KUBECONFIG: company.cluster.adminKubeconfig },
        })
      }
      expect((await company.arena('org', 'apply')).status).toBe(0)
      expect(await company.arena('org', 'plan')).toMatchObject({ status: 0 })
    } finally {
      await program.remove()
    }
  })
})

describe('two admins who apply the same file at once', () => {
  it('both reach it, and neither is told of failures', async () => {
    const both = await Promise.all([company.arena('org', 'apply'), company.arena('org', 'apply')])
    for (const { status, out, err } of both) {
      expect(status, out + err).toBe(0)
      expect(out).not.toContain('failed')
    }
    expect((await company.arena('org', 'plan')).status).toBe(0)
  })
})

describe('arena org drift --watch --repair', () => {
  it('mends as it happens, until it is stopped', async () => {
    await company.arena('org', 'apply')
    const stop = new AbortController()
    const watching = company.run(['org', 'drift', '--watch', '--repair'], { signal: stop.signal })
    const binding = { namespace: 'dev1', name: 'arena:bob:member' }
    const { metadata } = await company.client.get(kinds.roleBindings, binding)
    await company.client.delete(kinds.roleBindings, binding)
    const repaired = company.client.watch(kinds.roleBindings, {
      namespace: 'dev1',
      resourceVersion: metadata.resourceVersion,
      signal: AbortSignal.timeout(20_000),
    })
    for await (const event of repaired) {
      if (event.type === 'ADDED' && event.object.metadata.name === binding.name) break
    }
    stop.abort()
    const { out } = await watching
    expect(out).toContain('RoleBinding dev1/arena:bob:member: missing')
    expect(out).toContain('bob gains the role member in dev1')
  })
})

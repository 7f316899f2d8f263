import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { AgentFixture, shell } from './agent-fixture.ts'
import { isRoot } from './process-fixture.ts'

let fixture: AgentFixture

beforeAll(async () => {
  fixture = await AgentFixture.start()
})

afterAll(async () => {
  await fixture.close()
  // Nothing that the tests did was a failure of the agent's own.
  expect(fixture.errors).toEqual([])
})

describe('persistent volumes', () => {
  async function claim(
    name: string,
    source: object,
    more: { mode?: string; annotations?: object } = {},
  ): Promise<void> {
    const accessModes = [more.mode ?? 'ReadWriteMany']
    const storage = { storage: '1Gi' }
    await fixture.client.create(kinds.persistentVolumes, {
      metadata: { name, annotations: more.annotations as Record<string, string> },
      spec: {
        capacity: storage,
        accessModes,
        storageClassName: '',
        claimRef: { namespace: 'default', name },
        ...source,
      },
    } as never)
    await fixture.client.create(kinds.persistentVolumeClaims, {
      metadata: { name, namespace: 'default' },
      spec: { accessModes, storageClassName: '', volumeName: name, resources: { requests: storage } },
    } as never)
    await expect
      .poll(
        async () => {
          const found = await fixture.client.get(kinds.persistentVolumeClaims, { namespace: 'default', name })
          return found.status?.phase
        },
        { timeout: 10_000 },
      )
      .toBe('Bound')
  }

  function withClaim(script: string, claimName: string, mount: object = {}): object {
    return {
      ...shell(script, { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] }),
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    }
  }

  test('from NFS live in the data directory, open to the group of the volume alone', async () => {
    await claim(
      'dev1-public',
      { nfs: { server: 'nas.example', path: '/dev1' } },
      { annotations: { 'pv.beta.kubernetes.io/gid': '10001' } },
    )
    expect(await fixture.output('nfs-one', withClaim('echo hello > /data/file; id -G', 'dev1-public'))).toBe(
      '10001\n',
    )
    expect(await fixture.output('nfs-two', withClaim('cat /data/file', 'dev1-public'))).toBe('hello\n')
    expect(await fixture.event('nfs-one', 'NetworkVolumeIsLocal')).toContain('nas.example')
    const directory = join(fixture.dataDirectory, 'nfs', 'nas.example', 'dev1')
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('hello\n')
    if (!isRoot) return
    expect((statSync(directory).mode & 0o7777).toString(8)).toBe('2770')
    expect(statSync(directory).gid).toBe(10001)
  })

  test('from a directory of the machine are mounted as they are, read-only when claimed so', async () => {
    const directory = join(fixture.directory, 'shared')
    mkdirSync(directory)
    writeFileSync(join(directory, 'file'), 'as it was')
    execFileSync('chmod', ['-R', 'a+rwX', directory])
    await claim('local', { hostPath: { path: directory } })
    expect(await fixture.output('local-write', withClaim('echo more >> /data/file', 'local'))).toBe('')
    expect(
      await fixture.output(
        'local-read',
        withClaim('echo x > /data/file || echo closed', 'local', { readOnly: true }),
      ),
    ).toContain('closed')
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('as it wasmore\n')
  })

  test('that cannot be mounted leave the pod waiting, with the reason in an event', async () => {
    await claim('driver', { csi: { driver: 'csi.example', volumeHandle: 'x' } })
    await fixture.create('csi', withClaim('true', 'driver'))
    expect(await fixture.event('csi', 'FailedMount')).toContain('needs the CSI driver "csi.example"')
    await fixture.create('unclaimed', withClaim('true', 'no-such-claim'))
    expect(await fixture.event('unclaimed', 'FailedMount')).toContain(
      'persistentvolumeclaim "no-such-claim" not found',
    )
    expect((await fixture.get('csi')).status?.phase).toBe('Pending')
  })

  test("never show the cluster's own data as a host path", async () => {
    await fixture.create('inside', {
      ...shell('ls /data', { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      volumes: [{ name: 'data', hostPath: { path: join(fixture.dataDirectory, 'pods') } }],
    })
    expect(await fixture.event('inside', 'FailedMount')).toContain("lies in the cluster's own data")
  })
})

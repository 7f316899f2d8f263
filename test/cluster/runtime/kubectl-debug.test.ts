import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../src/cluster/index.ts'
import { kinds } from '../../../src/kube/index.ts'

const run = promisify(execFile)
let cluster: Cluster
let directory: string
let hasKubectl = false
let node = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arena-debug-'))
  cluster = await startCluster({ dataDir: directory, config: usualConfig, log: () => undefined })
  hasKubectl = await run('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  )
  const nodes = await admin().list(kinds.nodes)
  node = nodes.items.find(({ spec }) => !spec?.taints?.length)?.metadata.name ?? ''
}, 60_000)
afterAll(async () => {
  const pods = await admin().list(kinds.pods)
  for (const { metadata } of pods.items) await admin().delete(kinds.pods, metadata, { gracePeriodSeconds: 0 })
  const left = async (): Promise<number> => (await admin().list(kinds.pods)).items.length
  await vi.waitFor(async () => expect(await left()).toBe(0), { timeout: 20_000 })
  await cluster.close()
  // A supervisor may be writing its last word.
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}, 30_000)

const admin = (): ReturnType<Cluster['clientAs']> =>
  cluster.clientAs({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })

async function kubectl(...words: string[]): Promise<string> {
  const { stdout, stderr } = await run('kubectl', ['--kubeconfig', cluster.adminKubeconfig, ...words], {
    timeout: 30_000,
  })
  return stdout + stderr
}

test('kubectl debug adds a container to a pod and shows what it says', async ({ skip }) => {
  if (!hasKubectl) skip('kubectl is not here')
  await kubectl('run', 'web', '--image=x', '--restart=Never', '--command', '--', 'sleep', '1000')
  await kubectl('wait', 'pod/web', '--for=condition=Ready', '--timeout=20s')
  const command = ['sh', '-c', 'echo hello; hostname']
  const said = await kubectl('debug', 'web', '--image=busybox', '-c', 'dbg', '-it=false', '--', ...command)
  expect(said).toContain('hello\nweb\n')
  // Without a command it is a shell.
  await kubectl('debug', 'web', '--image=busybox', '-c', 'bare', '--target=web')
  await kubectl(
    'wait',
    'pod/web',
    '--timeout=20s',
    "--for=jsonpath={.status.ephemeralContainerStatuses[?(@.name=='bare')].state.terminated.reason}=Completed",
  )
  expect(await kubectl('logs', 'web', '-c', 'dbg')).toBe('hello\nweb\n')
}, 60_000)

test('kubectl debug of a node says what cannot be, and comes back', async ({ skip }) => {
  if (!hasKubectl) skip('kubectl is not here')
  const said = await kubectl('debug', `node/${node}`, '--image=busybox', '-it=false', '--', 'true').catch(
    (error: { stderr?: string }) => error.stderr ?? '',
  )
  expect(said).toContain('container debugger')
  const pods = await admin().list(kinds.pods, { namespace: 'default' })
  const found = pods.items.find(({ metadata }) => metadata.name.startsWith('node-debugger'))
  expect(found?.status).toMatchObject({
    phase: 'Failed',
    containerStatuses: [
      {
        state: {
          terminated: {
            exitCode: 128,
            reason: 'StartError',
            message:
              "the pod asks for the machine's processes (hostPID, hostIPC): they are never shared here",
          },
        },
      },
    ],
  })
}, 60_000)

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { Duplex, PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { AgentFixture } from './agent-fixture.ts'
import { isRoot } from './process-fixture.ts'

let fixture: AgentFixture

const user = { runAsUser: 20001, runAsGroup: 10001 }

beforeAll(async () => {
  fixture = await AgentFixture.start()
})

afterAll(async () => {
  await fixture.close()
})

function shell(script: string, more: object = {}): object {
  return {
    restartPolicy: 'Never',
    securityContext: user,
    terminationGracePeriodSeconds: 5,
    containers: [
      { name: 'main', image: 'tensorflow/tensorflow:1.5.0', command: ['sh', '-c', script], ...more },
    ],
  }
}

/** Runs a pod to its end and gives its log. */
async function output(name: string, spec: object, phase = 'Succeeded'): Promise<string> {
  await fixture.create(name, spec)
  await fixture.phase(name, phase)
  return fixture.log(name)
}

describe('a pod of processes', () => {
  test('has the environment it asks for: values, references, fields and replaced names', async () => {
    const meta = { namespace: 'default' }
    await fixture.client.create(kinds.configMaps, {
      metadata: { name: 'settings', ...meta },
      data: { RATE: '0.1', 'with.dot': 'x' },
    })
    await fixture.client.create(kinds.secrets, {
      metadata: { name: 'key', ...meta },
      data: { token: Buffer.from('s3cret').toString('base64') },
    })
    const env = [
      { name: 'PLAIN', value: 'a "b" $HOME' },
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['role']" } } },
      { name: 'RATE2', valueFrom: { configMapKeyRef: { name: 'settings', key: 'RATE' } } },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'key', key: 'token' } } },
      { name: 'CORES', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      { name: 'JOINED', value: '$(NAME)-$(RATE2) $(NONE) $$(NAME)' },
      { name: 'OPTIONAL', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
    ]
    await fixture.create(
      'environment',
      shell('env', {
        env,
        envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'ALL_' }],
        resources: { limits: { cpu: '1500m', memory: '200Mi' } },
      }),
      { labels: { role: 'chief' } },
    )
    await fixture.phase('environment', 'Succeeded')
    const lines = (await fixture.log('environment')).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'PLAIN=a "b" $HOME',
        'NAME=environment',
        'LABEL=chief',
        'RATE2=0.1',
        'TOKEN=s3cret',
        'CORES=2',
        'MEM=200',
        'JOINED=environment-0.1 $(NONE) $(NAME)',
        'ALL_RATE=0.1',
        'KUBERNETES_SERVICE_HOST=127.0.0.1',
        'HOSTNAME=environment',
      ]),
    )
    expect(lines.some((line) => line.startsWith('OPTIONAL='))).toBe(false)
  })

  test('waits with a reason for a config map that is missing, and runs when it comes', async () => {
    await fixture.create(
      'waiting',
      shell('echo $X', { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'late', key: 'x' } } }] }),
    )
    const pod = await fixture.until(
      'waiting',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    expect(pod.status?.phase).toBe('Pending')
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe('configmap "late" not found')
    await fixture.client.create(kinds.configMaps, {
      metadata: { name: 'late', namespace: 'default' },
      data: { x: 'here' },
    })
    await fixture.phase('waiting', 'Succeeded')
    expect(await fixture.log('waiting')).toBe('here\n')
  })

  test('finds volumes from config maps, secrets and itself, and its token', async () => {
    await fixture.client.create(kinds.configMaps, {
      metadata: { name: 'files', namespace: 'default' },
      data: { a: 'content of a', b: 'content of b' },
    })
    const spec = {
      ...shell(
        'cat /config/a /one/renamed /info/labels /sub; id -u; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; head -c 3 /var/run/secrets/kubernetes.io/serviceaccount/token; (echo x > /config/a) 2>/dev/null || echo closed; stat -Lc %a /one/renamed',
        {
          volumeMounts: [
            { name: 'config', mountPath: '/config' },
            { name: 'one', mountPath: '/one' },
            { name: 'info', mountPath: '/info' },
            { name: 'config', mountPath: '/sub', subPath: 'b' },
          ],
        },
      ),
      volumes: [
        { name: 'config', configMap: { name: 'files' } },
        { name: 'one', configMap: { name: 'files', items: [{ key: 'b', path: 'renamed', mode: 0o440 }] } },
        {
          name: 'info',
          downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
        },
      ],
    }
    await fixture.create(
      'volumes',
      { ...spec, securityContext: { ...user, fsGroup: 10001 } },
      { labels: { a: 'b' } },
    )
    await fixture.phase('volumes', 'Succeeded')
    expect(await fixture.log('volumes')).toContain(
      'content of acontent of ba="b"content of b20001\ndefaulteyJclosed\n440\n',
    )
  })

  test('has a token that the server takes for its own service account', async () => {
    const script = `python3 - <<'END'
import json, os, ssl, urllib.request
base = "/var/run/secrets/kubernetes.io/serviceaccount/"
url = "https://%s:%s/apis/authentication.k8s.io/v1/selfsubjectreviews" % (os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"])
body = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).encode()
headers = {"Authorization": "Bearer " + open(base + "token").read(), "Content-Type": "application/json"}
answer = urllib.request.urlopen(urllib.request.Request(url, body, headers), context=ssl.create_default_context(cafile=base + "ca.crt"))
print(json.load(answer)["status"]["userInfo"]["username"])
END`
    expect(await output('account', shell(script))).toBe('system:serviceaccount:default:default\n')
  })

  test('keeps an emptyDir over restarts of its container, and shares it between containers', async () => {
    const mounts = [{ name: 'shared', mountPath: '/shared' }]
    const script = 'echo again >> /shared/file; test "$(wc -l < /shared/file)" -ge 3'
    const spec = {
      ...shell(script, { volumeMounts: mounts }),
      restartPolicy: 'OnFailure',
      initContainers: [
        {
          name: 'first',
          image: 'x',
          command: ['sh', '-c', 'echo first > /shared/file'],
          volumeMounts: mounts,
        },
      ],
      volumes: [{ name: 'shared', emptyDir: {} }],
    }
    await fixture.create('shared', spec)
    const pod = await fixture.phase('shared', 'Succeeded')
    expect(pod.status?.containerStatuses?.[0]?.restartCount).toBe(1)
    expect(await fixture.log('shared', 'main', { previous: true })).toBe('')
  })

  test('says once that its image is not pulled', async () => {
    await output('image', shell('true'))
    expect(await fixture.event('image', 'ImageNotPulled')).toContain(
      'tensorflow/tensorflow:1.5.0 is recorded and not pulled',
    )
    const reasons = await fixture.reasons('image')
    expect(reasons.filter((reason) => reason === 'ImageNotPulled')).toHaveLength(1)
    expect(reasons).toContain('Started')
  })

  test('finds the names of services and of the pods behind them', async () => {
    await fixture.client.create(kinds.services, {
      metadata: { name: 'ring', namespace: 'default' },
      spec: { clusterIP: 'None', selector: { ring: 'yes' }, ports: [{ port: 2222 }] },
    })
    const names = 'node-a.ring ring ring.default.svc node-a.ring.default.svc.cluster.local'
    const spec = {
      ...shell(`for name in ${names}; do until getent hosts $name; do sleep 0.1; done; done`),
      hostname: 'node-a',
      subdomain: 'ring',
    }
    await fixture.create('ring', spec, { labels: { ring: 'yes' } })
    const pod = await fixture.phase('ring', 'Succeeded')
    const addresses = (await fixture.log('ring'))
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[0])
    expect(addresses.length).toBeGreaterThanOrEqual(4)
    expect(new Set(addresses)).toEqual(new Set([pod.status?.podIP]))
  })
})

describe.runIf(isRoot)('identity', () => {
  test('is nobody for a pod that names no user, and an event says so', async () => {
    const spec = shell('id -u; id -g; touch /root/mine && echo home')
    expect(await output('nobody', { ...spec, securityContext: {} })).toBe('65534\n65534\nhome\n')
    expect(await fixture.event('nobody', 'RunsAsNobody')).toContain('runAsUser is not set')
  })

  test('is never root, and the pod says why', async () => {
    await fixture.create('root', { ...shell('id'), securityContext: { runAsUser: 0, runAsGroup: 10001 } })
    const pod = await fixture.until(
      'root',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain(
      'would be root on this machine',
    )
    expect(await fixture.event('root', 'Failed')).toContain('allowRoot')
  })

  test('can be each container its own, with the groups of the pod', async () => {
    const spec = {
      ...shell('id -u; id -G', { securityContext: { runAsUser: 20002 } }),
      securityContext: { ...user, supplementalGroups: [30001], fsGroup: 30002 },
    }
    expect(await output('groups', spec)).toBe('20002\n10001 30001 30002\n')
  })

  test('refuses privileged containers and the processes of the machine', async () => {
    await fixture.create('privileged', shell('id', { securityContext: { privileged: true } }))
    await fixture.until(
      'privileged',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    // Nothing will ever change that: a pod that is not restarted has failed, the other goes on asking.
    await fixture.create('host-pid', { ...shell('id'), hostPID: true })
    const { status } = await fixture.phase('host-pid', 'Failed')
    expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ reason: 'StartError' })
    await fixture.create('host-pid-always', { ...shell('id'), hostPID: true, restartPolicy: 'Always' })
    await fixture.until(
      'host-pid-always',
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
  })
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
    expect(await output('nfs-one', withClaim('echo hello > /data/file; id -G', 'dev1-public'))).toBe(
      '10001\n',
    )
    expect(await output('nfs-two', withClaim('cat /data/file', 'dev1-public'))).toBe('hello\n')
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
    expect(await output('local-write', withClaim('echo more >> /data/file', 'local'))).toBe('')
    expect(
      await output(
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

describe('hooks and probes', () => {
  test('run: after the start, before the end, and while the container runs', async () => {
    await fixture.create('hooks', {
      ...shell('trap "cat /tmp/stopping; exit 0" TERM; while :; do sleep 0.05; done', {
        lifecycle: {
          postStart: { exec: { command: ['touch', '/tmp/started'] } },
          preStop: { exec: { command: ['sh', '-c', 'echo stopping > /tmp/stopping'] } },
        },
        readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
      }),
    })
    const pod = await fixture.until('hooks', ({ status }) => status?.containerStatuses?.[0]?.started === true)
    expect(pod.status?.containerStatuses?.[0]?.ready).toBe(false)
    const ref = { namespace: 'default', name: 'hooks', uid: pod.metadata.uid }
    const signal = AbortSignal.timeout(10_000)
    const status = await fixture.agent.streams.exec(
      ref,
      { container: 'main', command: ['sh', '-c', 'test -e /tmp/started && touch /tmp/ready'] },
      { signal },
    )
    expect(status.exitCode).toBe(0)
    await fixture.until('hooks', ({ status: now }) => now?.containerStatuses?.[0]?.ready === true)
    const log = await fixture.agent.streams.logs(ref, { container: 'main', follow: true })
    const text = (async () => {
      let all = ''
      for await (const chunk of log) all += Buffer.from(chunk).toString()
      return all
    })()
    await fixture.remove('hooks')
    expect(await text).toBe('stopping\n')
    await expect.poll(async () => fixture.isGone('hooks'), { timeout: 10_000 }).toBe(true)
  })

  test('restart a container that is no longer alive', async () => {
    await fixture.create('alive', {
      ...shell('sleep 600', {
        livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
      }),
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 1,
    })
    await fixture.until('alive', ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1)
    expect(await fixture.event('alive', 'Unhealthy')).toContain('Liveness probe failed')
    expect((await fixture.reasons('alive')).includes('Killing')).toBe(true)
    await fixture.remove('alive', 0)
  })

  test('ask over HTTP and TCP at the address of the pod; its ports can be forwarded, others not', async () => {
    const script = 'cd /tmp && echo hello > file && exec python3 -u -m http.server "$PORT"'
    const port = await freePort()
    await fixture.create('web', {
      ...shell(script, {
        env: [{ name: 'PORT', value: String(port) }],
        ports: [{ name: 'web', containerPort: port }],
        startupProbe: { tcpSocket: { port: 'web' }, periodSeconds: 1, failureThreshold: 30 },
        readinessProbe: { httpGet: { path: '/file', port: 'web' }, periodSeconds: 1 },
      }),
    })
    const pod = await fixture.until('web', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
    const ref = { namespace: 'default', name: 'web', uid: pod.metadata.uid }
    const { near, far } = duplexPair()
    const forwarded = fixture.agent.streams.portForward(ref, port, far, AbortSignal.timeout(10_000))
    near.write('GET /file HTTP/1.0\r\n\r\n')
    let answer = ''
    for await (const chunk of near) answer += String(chunk)
    expect(answer).toContain('hello')
    near.end()
    await forwarded
    const server = createServer()
    const foreign = await listen(server)
    await expect(
      fixture.agent.streams.portForward(ref, foreign, new PassThrough(), AbortSignal.timeout(10_000)),
    ).rejects.toThrow(`nothing in pod "web" listens on port ${foreign}`)
    server.close()
    await fixture.remove('web', 0)
  })
})

describe('the image git-sync', () => {
  test('clones a repository before the job runs, without a command of its own', async () => {
    const repository = join(fixture.directory, 'sample.git')
    const source = join(fixture.directory, 'sample')
    const git = (...words: string[]): void => {
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example', ...words], { stdio: 'ignore' })
    }
    git('init', '-q', source)
    writeFileSync(join(source, 'main.py'), 'print("from git")\n')
    git('-C', source, 'add', '.')
    git('-C', source, 'commit', '-q', '-m', 'one')
    git('clone', '-q', '--bare', source, repository)
    git('-C', repository, 'update-server-info')
    const server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(fixture.directory, new URL(request.url ?? '', 'http://x').pathname)))
      } catch {
        response.writeHead(404).end()
      }
    })
    const port = await listen(server)
    const env = Object.entries({
      GIT_SYNC_REPO: `http://127.0.0.1:${port}/sample.git`,
      GIT_SYNC_DEST: 'sample',
      GIT_SYNC_ROOT: '/code',
      GIT_SYNC_ONE_TIME: 'true',
    }).map(([name, value]) => ({ name, value }))
    const spec = {
      ...shell('cd /root && python code/sample/main.py', {
        workingDir: '/root',
        volumeMounts: [{ name: 'code-sync', mountPath: '/root/code' }],
      }),
      initContainers: [
        {
          name: 'init-code',
          image: 'registry.example/acs/git-sync:v3.3.5',
          env,
          volumeMounts: [{ name: 'code-sync', mountPath: '/code' }],
        },
      ],
      volumes: [{ name: 'code-sync', emptyDir: {} }],
    }
    expect(await output('git', spec)).toBe('from git\n')
    expect(await fixture.log('git', 'init-code')).toMatch(/git-sync: \/code\/sample is at [0-9a-f]{40}\n$/)
    server.close()
  })
})

describe('the agent', () => {
  test('finds its pods again after a restart, and they never notice', async () => {
    await fixture.create('survivor', shell('i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.05; done'))
    const before = await fixture.phase('survivor', 'Running')
    await fixture.restartAgent()
    const ref = { namespace: 'default', name: 'survivor', uid: before.metadata.uid }
    const signal = AbortSignal.timeout(10_000)
    const stdout = new PassThrough()
    const status = await fixture.agent.streams.exec(
      ref,
      { container: 'main', command: ['echo', 'still here'] },
      { stdout, signal },
    )
    expect([status.exitCode, String(stdout.read())]).toEqual([0, 'still here\n'])
    const after = await fixture.get('survivor')
    expect(after.status?.containerStatuses?.[0]).toMatchObject({
      containerID: before.status?.containerStatuses?.[0]?.containerID,
      restartCount: 0,
      ready: true,
    })
    await fixture.remove('survivor', 1)
    await expect.poll(async () => fixture.isGone('survivor'), { timeout: 10_000 }).toBe(true)
  })

  test('ends what belongs to pods that were removed while it was away', async () => {
    await fixture.create('orphan', shell('sleep 600'))
    const pod = await fixture.phase('orphan', 'Running')
    const state = join(fixture.dataDirectory, 'pods', pod.metadata.uid, 'containers/main/0/state.json')
    const { shim } = JSON.parse(readFileSync(state, 'utf8')) as { shim: number }
    const restarting = fixture.restartAgent()
    await fixture.remove('orphan', 0)
    await restarting
    await expect.poll(() => isAlive(shim), { timeout: 10_000 }).toBe(false)
  })

  test('lets go of everything of a pod that is removed', async () => {
    await fixture.create('leaving', shell('sleep 600'))
    const pod = await fixture.phase('leaving', 'Running')
    const directory = join(fixture.dataDirectory, 'pods', pod.metadata.uid)
    expect(statSync(directory).isDirectory()).toBe(true)
    await fixture.remove('leaving')
    await expect.poll(async () => fixture.isGone('leaving'), { timeout: 10_000 }).toBe(true)
    await expect
      .poll(() => statSync(directory, { throwIfNoEntry: false }), { timeout: 10_000 })
      .toBeUndefined()
  })

  test('has met no failure of its own in all of this', () => {
    expect(fixture.errors).toEqual([])
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Two ends of one connection. */
function duplexPair(): { near: Duplex; far: Duplex } {
  const [there, back] = [new PassThrough(), new PassThrough()]
  return {
    near: Duplex.from({ readable: back, writable: there }),
    far: Duplex.from({ readable: there, writable: back }),
  }
}

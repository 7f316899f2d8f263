import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kinds } from '../../../src/kube/index.ts'
import { AgentFixture, shell, unprivileged } from './agent-fixture.ts'
import { listen } from '../../loopback.ts'

let fixture: AgentFixture

beforeAll(async () => {
  fixture = await AgentFixture.start()
})

afterAll(async () => {
  await fixture.close()
  // Nothing that the tests did was a failure of the agent's own.
  expect(fixture.errors).toEqual([])
})

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
      { ...spec, securityContext: { ...unprivileged, fsGroup: 10001 } },
      { labels: { a: 'b' } },
    )
    await fixture.phase('volumes', 'Succeeded')
    expect(await fixture.log('volumes')).toContain(
      'content of acontent of ba="b"content of b20001\ndefaulteyJclosed\n440\n',
    )
  })

  test('sees in its files at once what its labels have become', async () => {
    const script = 'until grep -q green /info/labels; do sleep 0.05; done; cat /info/labels'
    const spec = {
      ...shell(script, { volumeMounts: [{ name: 'info', mountPath: '/info' }] }),
      volumes: [
        {
          name: 'info',
          projected: {
            sources: [
              { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
      ],
    }
    await fixture.create('relabelled', spec, { labels: { colour: 'blue' } })
    await fixture.phase('relabelled', 'Running')
    await fixture.client.patch(
      kinds.pods,
      { namespace: 'default', name: 'relabelled' },
      { type: 'merge', patch: { metadata: { labels: { colour: 'green' } } } },
    )
    await fixture.phase('relabelled', 'Succeeded')
    expect(await fixture.log('relabelled')).toBe('colour="green"')
  })

  test('knows the services of its namespace by its environment, unless it does not want to', async () => {
    const service = await fixture.client.create(kinds.services, {
      metadata: { name: 'foo-service', namespace: 'default' },
      spec: {
        ports: [
          { name: 'web-ui', port: 8765 },
          { name: 'stats', port: 53, protocol: 'UDP' },
        ],
      },
    })
    const address = service.spec?.clusterIP ?? ''
    const lines = (await fixture.output('linked', shell('env'))).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        `FOO_SERVICE_SERVICE_HOST=${address}`,
        'FOO_SERVICE_SERVICE_PORT=8765',
        'FOO_SERVICE_SERVICE_PORT_WEB_UI=8765',
        `FOO_SERVICE_PORT=tcp://${address}:8765`,
        `FOO_SERVICE_PORT_8765_TCP=tcp://${address}:8765`,
        'FOO_SERVICE_PORT_8765_TCP_PROTO=tcp',
        'FOO_SERVICE_PORT_8765_TCP_PORT=8765',
        `FOO_SERVICE_PORT_8765_TCP_ADDR=${address}`,
        `FOO_SERVICE_PORT_53_UDP=udp://${address}:53`,
      ]),
    )
    // The API server is told by where it listens, in the namespace of its service too.
    expect(lines).toContain('KUBERNETES_SERVICE_HOST=127.0.0.1')
    expect(lines.filter((line) => line.startsWith('KUBERNETES_PORT_443'))).toEqual([])
    const bare = await fixture.output('unlinked', { ...shell('env'), enableServiceLinks: false })
    expect(bare).not.toContain('FOO_SERVICE')
    expect(bare).toContain('KUBERNETES_SERVICE_HOST=127.0.0.1')
  })

  test('calls its host by the name that it asks for', async () => {
    const named = { ...shell('hostname'), hostname: 'node-b', subdomain: 'ring' }
    expect(await fixture.output('short', named)).toBe('node-b\n')
    expect(await fixture.output('qualified', { ...named, setHostnameAsFQDN: true })).toBe(
      'node-b.ring.default.svc.cluster.local\n',
    )
    expect(await fixture.output('other', { ...named, hostnameOverride: 'db.example.org' })).toBe(
      'db.example.org\n',
    )
    await fixture.create('too-long', { ...named, subdomain: 's'.repeat(40), setHostnameAsFQDN: true })
    const refused = await fixture.until(
      'too-long',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.message !== undefined,
    )
    expect(refused.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain(
      'is too long (64 is the max, 73 characters requested)',
    )
    await fixture.remove('too-long')
  })

  test('resolves names as its dnsConfig says, and sets what is its own of the kernel', async () => {
    const read = shell('cat /etc/resolv.conf /proc/sys/kernel/shm_rmid_forced')
    const dnsConfig = {
      nameservers: ['10.1.1.1'],
      searches: ['one.example.org', 'two.example.org'],
      options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
    }
    const sysctls = [
      { name: 'kernel.shm_rmid_forced', value: '1' },
      { name: 'net.ipv4.tcp_syncookies', value: '1' },
    ]
    const securityContext = { ...unprivileged, sysctls }
    // A namespace of a user does not give the right.
    const forced = process.getuid?.() === 0 ? 1 : 0
    expect(await fixture.output('own', { ...read, dnsPolicy: 'None', dnsConfig, securityContext })).toBe(
      `search one.example.org two.example.org\nnameserver 10.1.1.1\noptions ndots:2 edns0\n${forced}\n`,
    )
    expect(await fixture.event('own', 'SysctlNotSet')).toContain('net.ipv4.tcp_syncookies stays as it is')
    const added = await fixture.output('added', { ...read, dnsConfig: { searches: ['three.example.org'] } })
    expect(added).toMatch(/^search .*three\.example\.org\n/)
    expect(added).toContain(readFileSync('/etc/resolv.conf', 'utf8').match(/^nameserver .*$/m)?.[0] ?? '')
    expect(added).toMatch(/\n0\n$/)
  })

  test('is not over before its sidecar is', async () => {
    const wait = 'trap "sleep 0.3; exit 0" TERM; while true; do sleep 0.05; done'
    const side = { name: 'side', image: 'x', restartPolicy: 'Always', command: ['sh', '-c', wait] }
    await fixture.create('sided', { ...shell('true'), initContainers: [side] })
    const pod = await fixture.phase('sided', 'Succeeded')
    expect(pod.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode).toBe(0)
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
    expect(await fixture.output('account', shell(script))).toBe('system:serviceaccount:default:default\n')
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
    await fixture.output('image', shell('true'))
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
    expect(await fixture.output('git', spec)).toBe('from git\n')
    expect(await fixture.log('git', 'init-code')).toMatch(/git-sync: \/code\/sample is at [0-9a-f]{40}\n$/)
    server.close()
  })
})

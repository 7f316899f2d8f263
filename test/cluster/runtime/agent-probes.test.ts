import { createServer } from 'node:http'
import { Duplex, PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AgentFixture, shell } from './agent-fixture.ts'
import { freePort, listen } from '../../loopback.ts'

let fixture: AgentFixture

beforeAll(async () => {
  fixture = await AgentFixture.start()
})

afterAll(async () => {
  await fixture.close()
  // Nothing that the tests did was a failure of the agent's own.
  expect(fixture.errors).toEqual([])
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

/** Two ends of one connection. */
function duplexPair(): { near: Duplex; far: Duplex } {
  const [there, back] = [new PassThrough(), new PassThrough()]
  return {
    near: Duplex.from({ readable: back, writable: there }),
    far: Duplex.from({ readable: there, writable: back }),
  }
}

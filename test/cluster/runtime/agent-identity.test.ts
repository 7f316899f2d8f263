import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AgentFixture, shell, unprivileged } from './agent-fixture.ts'
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

describe.runIf(isRoot)('identity', () => {
  test('is nobody for a pod that names no user, and an event says so', async () => {
    const spec = shell('id -u; id -g; touch /root/mine && echo home')
    expect(await fixture.output('nobody', { ...spec, securityContext: {} })).toBe('65534\n65534\nhome\n')
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
      securityContext: { ...unprivileged, supplementalGroups: [30001], fsGroup: 30002 },
    }
    expect(await fixture.output('groups', spec)).toBe('20002\n10001 30001 30002\n')
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

import { describe, expect, it } from 'vitest'
import { pods } from '../../../../src/cluster/registry/resources/pod/pod.ts'
import { type Body, created, put, row } from './drive.ts'

const names = ['a', 'b']

function shown(status: Body, spec: Body = {}, metadata: Body = {}): Record<string, unknown> {
  const object = created(pods, {
    metadata: { name: 'p' },
    spec: { containers: names.map((name) => ({ name, image: 'i' })), ...spec },
  })
  put(object, 'status', { phase: 'Running', ...status })
  Object.assign(object.metadata, metadata)
  return row(pods, object)
}

const running = (name: string, more: Body = {}): Body => ({
  name,
  ready: true,
  restartCount: 0,
  state: { running: {} },
  ...more,
})
const waiting = (name: string, reason: string, more: Body = {}): Body => ({
  name,
  ready: false,
  restartCount: 0,
  state: { waiting: { reason } },
  ...more,
})
const ended = (name: string, terminated: Body, more: Body = {}): Body => ({
  name,
  ready: false,
  restartCount: 0,
  state: { terminated },
  ...more,
})

describe('the table of pods', () => {
  it('shows a pod that waits for a node', () => {
    expect(shown({ phase: 'Pending' })).toMatchObject({
      Name: 'p',
      Ready: '0/2',
      Status: 'Pending',
      Restarts: '0',
      IP: '<none>',
      Node: '<none>',
      'Nominated Node': '<none>',
      'Readiness Gates': '<none>',
    })
  })

  it('shows a pod that runs', () => {
    const cells = shown(
      {
        podIPs: [{ ip: '10.1.2.3' }],
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: names.map((name) => running(name)),
      },
      { nodeName: 'n1' },
    )
    expect(cells).toMatchObject({ Ready: '2/2', Status: 'Running', IP: '10.1.2.3', Node: 'n1' })
  })

  it.each<[string, Body, string]>([
    ['the reason of the pod', { reason: 'Evicted', phase: 'Failed' }, 'Evicted'],
    [
      'why a container waits',
      { containerStatuses: [waiting('a', 'CrashLoopBackOff'), running('b')] },
      'CrashLoopBackOff',
    ],
    [
      'why a container ended',
      { containerStatuses: [ended('a', { reason: 'OOMKilled', exitCode: 137 }), running('b')] },
      'OOMKilled',
    ],
    [
      'the exit code when there is no reason',
      { phase: 'Failed', containerStatuses: [ended('a', { exitCode: 3 })] },
      'ExitCode:3',
    ],
    [
      'the signal when there is one',
      { phase: 'Failed', containerStatuses: [ended('a', { signal: 9, exitCode: 137 })] },
      'Signal:9',
    ],
    [
      'that it is completed',
      {
        phase: 'Succeeded',
        containerStatuses: names.map((name) => ended(name, { reason: 'Completed', exitCode: 0 })),
      },
      'Completed',
    ],
    [
      'that it still runs though one container is through',
      {
        containerStatuses: [ended('a', { reason: 'Completed', exitCode: 0 }), running('b')],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
      'Running',
    ],
    [
      'that gates hold it back',
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
      },
      'SchedulingGated',
    ],
  ])('shows %s', (_title, status, text) => {
    expect(shown(status)['Status']).toBe(text)
  })

  it('counts init containers down', () => {
    const spec = {
      initContainers: [
        { name: 'x', image: 'i' },
        { name: 'y', image: 'i' },
      ],
    }
    const through = ended('x', { exitCode: 0 })
    const status = (...initContainerStatuses: Body[]) =>
      shown({ phase: 'Pending', initContainerStatuses }, spec)['Status']
    expect(status(through, waiting('y', 'PodInitializing'))).toBe('Init:1/2')
    expect(status(ended('x', { exitCode: 1, reason: 'Error' }), waiting('y', 'PodInitializing'))).toBe(
      'Init:Error',
    )
    expect(status(waiting('x', 'ImagePullBackOff'), waiting('y', 'PodInitializing'))).toBe(
      'Init:ImagePullBackOff',
    )
  })

  it('says when a container last restarted', () => {
    const last = {
      restartCount: 4,
      lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:55:00Z' } },
    }
    const cells = shown({ containerStatuses: [running('a', last), running('b')] })
    expect(cells['Restarts']).toBe('4 (5m ago)')
  })

  it('shows that a pod is going, or that its node is lost', () => {
    const deletion = { deletionTimestamp: '2026-01-01T00:59:00Z' }
    const status = { containerStatuses: names.map((name) => running(name)) }
    expect(shown(status, {}, deletion)['Status']).toBe('Terminating')
    expect(shown({ ...status, reason: 'NodeLost' }, {}, deletion)['Status']).toBe('Unknown')
  })

  it('counts gates that are open', () => {
    const cells = shown(
      { conditions: [{ type: 'acme.io/a', status: 'True' }] },
      { readinessGates: [{ conditionType: 'acme.io/a' }, { conditionType: 'acme.io/b' }] },
    )
    expect(cells['Readiness Gates']).toBe('1/2')
  })
})

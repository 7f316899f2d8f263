import { describe, expect, it } from 'vitest'
import { pods } from '../../../../src/cluster/registry/resources/pod/pod.ts'
import { type Body, changeFaults, created, put, updateFaults } from './drive.ts'

const pod = (spec: Body = {}, metadata: Body = {}): Body => ({
  metadata: { name: 'p', ...metadata },
  spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
})

describe('a changed pod', () => {
  it('may have other images, a nearer deadline and more tolerations', () => {
    const faults = updateFaults(pods, pod({ activeDeadlineSeconds: 100 }), (object) => {
      put(object, 'spec.containers.0.image', 'busybox:2')
      put(object, 'spec.activeDeadlineSeconds', 50)
      put(object, 'spec.tolerations', [{ key: 'a', operator: 'Exists' }])
    })
    expect(faults).toEqual([])
  })

  it('is refused when anything else changes', () => {
    const faults = updateFaults(pods, pod(), (object) => put(object, 'spec.restartPolicy', 'Never'))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n',
    )
    expect(faults[0]).toContain('- "restartPolicy": "Always"')
    expect(faults[0]).toContain('+ "restartPolicy": "Never"')
  })

  it.each<[string, Body, [path: string, value: unknown], string[]]>([
    [
      'another container',
      {},
      ['spec.initContainers', [{ name: 'i', image: 'i' }]],
      ['spec.initContainers: Forbidden: pod updates may not add or remove containers'],
    ],
    [
      'a later deadline',
      { activeDeadlineSeconds: 10 },
      ['spec.activeDeadlineSeconds', 20],
      ['spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value'],
    ],
    [
      'one toleration less',
      { tolerations: [{ key: 'a', operator: 'Exists' }] },
      ['spec.tolerations', []],
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [
      'a new gate',
      {},
      ['spec.schedulingGates', [{ name: 'acme.io/x' }]],
      [
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'acme.io/x'",
      ],
    ],
  ])('is refused with %s', (_title, spec, [path, value], faults) => {
    expect(updateFaults(pods, pod(spec), (object) => put(object, path, value))).toEqual(faults)
  })

  it('may be given a narrower choice of nodes while gates hold it', () => {
    const gated = pod({ schedulingGates: [{ name: 'acme.io/x' }], nodeSelector: { a: 'b' } })
    expect(
      updateFaults(pods, gated, (object) => put(object, 'spec.nodeSelector', { a: 'b', c: 'd' })),
    ).toEqual([])
    expect(updateFaults(pods, gated, (object) => put(object, 'spec.nodeSelector', { a: 'c' }))).toEqual([
      'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ])
  })

  it('may shorten a grace period that made no sense', () => {
    const object = created(pods, pod())
    put(object, 'spec.terminationGracePeriodSeconds', -1)
    const change = (value: number) => (next: object) => put(next, 'spec.terminationGracePeriodSeconds', value)
    expect(changeFaults(pods, object, change(1))).toEqual([])
    expect(changeFaults(pods, object, change(2))).toHaveLength(1)
  })
})

describe("a pod's status", () => {
  const ended = { name: 'main', state: { terminated: { exitCode: 0 } } }

  it('keeps ended what is not restarted', () => {
    const object = created(pods, pod({ restartPolicy: 'Never' }))
    put(object, 'status.containerStatuses', [ended])
    expect(
      changeFaults(
        pods,
        object,
        (next) => put(next, 'status.containerStatuses.0.state', { running: {} }),
        'status',
      ),
    ).toEqual([
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ])
  })

  it('keeps its class and its owners', () => {
    const object = created(pods, pod())
    const faults = changeFaults(pods, object, (next) => put(next, 'status.qosClass', 'Guaranteed'), 'status')
    expect(faults).toEqual(['status.qosClass: Invalid value: "Guaranteed": field is immutable'])
  })

  it('has one address of each family', () => {
    const object = created(pods, pod())
    const faults = changeFaults(
      pods,
      object,
      (next) => put(next, 'status.podIPs', [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }]),
      'status',
    )
    expect(faults).toEqual([
      'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
    ])
  })
})

describe('deleting a pod', () => {
  const grace = (object: Body, asked?: number): number | undefined =>
    pods.gracePeriodSeconds?.(created(pods, object), asked)

  it('waits for the node, if there is one', () => {
    expect(grace(pod())).toBe(0)
    expect(grace(pod({ nodeName: 'n' }))).toBe(30)
    expect(grace(pod({ nodeName: 'n' }), 5)).toBe(5)
  })
})

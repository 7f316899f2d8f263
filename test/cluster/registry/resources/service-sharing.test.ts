import { expect, test } from 'vitest'
import { services } from '../../../../src/cluster/registry/resources/service/service.ts'
import type { KubeObject } from '../../../../src/kube/index.ts'
import { requestOf } from './drive.ts'

const path = 'spec.clusterIPs'

function service(name: string, spec: Record<string, unknown>): KubeObject {
  return { metadata: { name, uid: name }, spec: { ports: [{ port: 80, protocol: 'TCP' }], ...spec } }
}

/** What creating a service among others makes of it, and the faults found. */
function create(object: KubeObject, others: readonly KubeObject[]): { object: KubeObject; faults: string[] } {
  const request = requestOf(services, 'create')
  services.setDefaults?.(object)
  services.prepareForCreate?.(object, request, () => others)
  const faults = services.validate?.(object, request, () => others) ?? []
  return { object, faults: faults.map(({ field, message }) => `${field}: ${message}`) }
}

const portsOf = ({ spec }: KubeObject & { spec?: { ports: { nodePort: number }[] } }): number[] =>
  (spec?.ports ?? []).map(({ nodePort }) => nodePort)

test('a service does not get the address that another has', () => {
  const { object: first } = create(service('first', {}), [])
  const { clusterIP } = first['spec'] as { clusterIP: string }
  const { faults } = create(service('second', { clusterIP }), [first])
  expect(faults).toEqual([
    `${path}: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: provided IP is already allocated`,
  ])
})

test('a service does not get the port of the nodes that another has', () => {
  const ports = [{ port: 80, nodePort: 30_080, protocol: 'TCP' }]
  const { object: first } = create(service('first', { type: 'NodePort', ports }), [])
  const { faults } = create(service('second', { type: 'NodePort', ports: structuredClone(ports) }), [first])
  expect(faults).toEqual(['spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated'])
})

test('headless services share that they have no address', () => {
  const { object: first } = create(service('first', { clusterIP: 'None' }), [])
  expect(create(service('second', { clusterIP: 'None' }), [first]).faults).toEqual([])
})

test('generated ports differ until there is none left, and then the service is refused', () => {
  const others: KubeObject[] = []
  for (let made = 0; made < 2768; made += 16) {
    const ports = Array.from({ length: 16 }, (_, index) => ({
      name: `p${index}`,
      port: 80 + index,
      protocol: 'TCP',
    }))
    const { object, faults } = create(service(`s${made}`, { type: 'NodePort', ports }), others)
    expect(faults).toEqual([])
    others.push(object)
  }
  expect(new Set(others.flatMap(portsOf)).size).toBe(2768)
  const { faults } = create(service('late', { type: 'NodePort' }), others)
  expect(faults).toEqual([expect.stringContaining('provided port is already allocated')])
})

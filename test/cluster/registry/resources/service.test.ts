import { describe, expect, it } from 'vitest'
import { services } from '../../../../src/cluster/registry/resources/service/service.ts'
import { at, type Body, created, createFaults, put, row, updateFaults } from './drive.ts'

const service = (spec: Body, name = 'svc'): Body => ({ metadata: { name }, spec })
const web = (spec: Body = {}): Body => service({ selector: { app: 'web' }, ports: [{ port: 80 }], ...spec })

describe('a new service', () => {
  it('without addresses of its own may speak both families', () => {
    const object = created(services, service({ clusterIP: 'None', ports: [{ port: 80, name: 'a' }] }))
    expect(object['spec']).toEqual({
      clusterIP: 'None',
      clusterIPs: ['None'],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
      ports: [{ name: 'a', port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    })
    expect(object['status']).toEqual({ loadBalancer: {} })
  })

  it('is given an address', () => {
    const object = created(services, web())
    expect(object['spec']).toMatchObject({
      clusterIP: expect.stringMatching(/^10\.(9[7-9]|10\d|11[01])\.\d+\.\d+$/),
      clusterIPs: [at(object, 'spec.clusterIP')],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    })
  })

  it('is given ports of the nodes when it is to be reached there', () => {
    const object = created(
      services,
      web({
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 81 },
        ],
      }),
    )
    const [first, second] = [at(object, 'spec.ports.0.nodePort'), at(object, 'spec.ports.1.nodePort')]
    expect(first).toBeGreaterThanOrEqual(30_000)
    expect(second).not.toBe(first)
    expect(at(object, 'spec.externalTrafficPolicy')).toBe('Cluster')
  })

  it('under another name has no address', () => {
    const object = created(services, service({ type: 'ExternalName', externalName: 'example.com' }))
    expect(object['spec']).toEqual({
      externalName: 'example.com',
      sessionAffinity: 'None',
      type: 'ExternalName',
    })
    expect(row(services, object)).toMatchObject({
      Type: 'ExternalName',
      'Cluster-IP': '<none>',
      'External-IP': 'example.com',
      'Port(s)': '<none>',
    })
  })

  it.each<[string, Body, string[]]>([
    ['no ports', service({ selector: { a: 'b' } }), ['spec.ports: Required value']],
    [
      'nameless ports',
      web({ ports: [{ port: 80 }, { port: 81, name: 'b' }] }),
      ['spec.ports[0].name: Required value'],
    ],
    [
      'one port twice',
      web({
        ports: [
          { port: 80, name: 'a' },
          { port: 80, name: 'b' },
        ],
      }),
      [
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    ],
    [
      'a name that begins with a digit',
      service({ ports: [{ port: 80 }] }, '1svc'),
      [
        "metadata.name: Invalid value: \"1svc\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [
      'a port of the nodes but no way to it',
      web({ ports: [{ port: 80, nodePort: 30080 }] }),
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'addresses of two families',
      web({ ipFamilyPolicy: 'RequireDualStack' }),
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    [
      'an address of others',
      web({ clusterIP: '192.168.1.1' }),
      [
        'spec.clusterIPs: Invalid value: ["192.168.1.1"]: failed to allocate IP 192.168.1.1: the provided network does not match the current range',
      ],
    ],
    ['no name for its alias', service({ type: 'ExternalName' }), ['spec.externalName: Required value']],
  ])('is refused with %s', (_title, body, faults) => {
    expect(createFaults(services, body)).toEqual(faults)
  })
})

describe('a changed service', () => {
  it('keeps its addresses and ports when the change says nothing of them', () => {
    const body = web({ type: 'NodePort' })
    const faults = updateFaults(services, body, (object) => {
      put(object, 'spec', { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80 }] })
    })
    expect(faults).toEqual([])
  })

  it('keeps its address whatever the change says', () => {
    const faults = updateFaults(services, web(), (object) => {
      put(object, 'spec.clusterIP', '10.100.1.1')
      put(object, 'spec.clusterIPs', ['10.100.1.1'])
    })
    expect(faults).toEqual(['spec.clusterIPs[0]: Invalid value: ["10.100.1.1"]: may not change once set'])
  })

  it('gives its address up when it becomes an alias', () => {
    const faults = updateFaults(services, web(), (object) => {
      put(object, 'spec.type', 'ExternalName')
      put(object, 'spec.externalName', 'example.com')
    })
    expect(faults).toEqual([])
  })
})

describe('the status of a service', () => {
  const report = (spec: Body, ingress: Body[]): string[] =>
    updateFaults(
      services,
      web(spec),
      (object) => put(object, 'status.loadBalancer.ingress', ingress),
      'status',
    )

  it('tells where its load balancer is', () => {
    const ingress = [{ ip: '203.0.113.1' }, { hostname: 'lb.example.com' }, { ip: '::1', ipMode: 'Proxy' }]
    expect(report({ type: 'LoadBalancer' }, ingress)).toEqual([])
  })

  it('names addresses that are some', () => {
    expect(
      report({ type: 'LoadBalancer' }, [
        { ip: 'bogus' },
        { hostname: '1.2.3.4' },
        { hostname: 'lb.example.com', ipMode: 'VIP' },
        { ip: '1.2.3.4', ipMode: 'Other' },
      ]),
    ).toEqual([
      'status.loadBalancer.ingress[0].ip: Invalid value: "bogus": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'status.loadBalancer.ingress[2].ipMode: Forbidden: may not be specified when `ip` is not set',
      'status.loadBalancer.ingress[3].ipMode: Unsupported value: "Other": supported values: "Proxy", "VIP"',
    ])
  })

  it('has no load balancer when the service has none', () => {
    expect(report({ type: 'ClusterIP' }, [{ ip: '203.0.113.1' }])).toEqual([
      "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ])
  })
})

describe('the table of services', () => {
  it('shows ports, addresses and selectors', () => {
    const object = created(services, web({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30080 }] }))
    expect(row(services, object)).toMatchObject({
      'External-IP': '<pending>',
      'Port(s)': '80:30080/TCP',
      Selector: 'app=web',
    })
    put(object, 'status.loadBalancer.ingress', [{ ip: '1.2.3.4' }, { hostname: 'lb.example.com' }])
    expect(row(services, object)['External-IP']).toBe('1.2.3.4,lb.example.com')
  })
})

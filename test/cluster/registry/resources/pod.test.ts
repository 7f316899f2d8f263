import { describe, expect, it } from 'vitest'
import { pods } from '../../../../src/cluster/registry/resources/pod/pod.ts'
import { at, type Body, created, createFaults, requestOf } from './drive.ts'

const pod = (spec: Body = {}, metadata: Body = {}): Body => ({
  metadata: { name: 'p', ...metadata },
  spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
})
const container = (fields: Body): Body => pod({ containers: [{ name: 'a', image: 'i', ...fields }] })

describe('a new pod', () => {
  it('is completed with everything its author left out', () => {
    const object = created(pods, pod({ serviceAccountName: 'default' }))
    expect(object['spec']).toEqual({
      containers: [
        {
          name: 'main',
          image: 'busybox',
          imagePullPolicy: 'Always',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      serviceAccount: 'default',
      serviceAccountName: 'default',
      terminationGracePeriodSeconds: 30,
    })
    expect(object['status']).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  })

  it.each([
    ['busybox', 'Always'],
    ['busybox:latest', 'Always'],
    ['tensorflow/tensorflow:1.5.0-devel-gpu', 'IfNotPresent'],
    ['localhost:5000/busybox', 'Always'],
    ['busybox@sha256:0000000000000000000000000000000000000000000000000000000000000000', 'IfNotPresent'],
  ])('pulls %s %s', (image, policy) => {
    const object = created(pods, container({ image }))
    expect(at(object, 'spec.containers.0.imagePullPolicy')).toBe(policy)
  })

  it('has in its selectors what its label keys mean', () => {
    const term = () => ({
      topologyKey: 'zone',
      labelSelector: { matchLabels: { app: 'a' } },
      matchLabelKeys: ['hash', 'absent'],
      mismatchLabelKeys: ['tenant'],
    })
    const spread = {
      topologyKey: 'zone',
      maxSkew: 1,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: {},
      matchLabelKeys: ['hash'],
    }
    const anti = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term() }] }
    const object = created(
      pods,
      pod(
        {
          affinity: {
            podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term()] },
            podAntiAffinity: anti,
          },
          topologySpreadConstraints: [spread],
        },
        { labels: { app: 'a', hash: 'h', tenant: 't' } },
      ),
    )
    const same = { key: 'hash', operator: 'In', values: ['h'] }
    const other = { key: 'tenant', operator: 'NotIn', values: ['t'] }
    const [required, preferred] = ['podAffinity.required', 'podAntiAffinity.preferred'].map(
      (name) => `spec.affinity.${name}DuringSchedulingIgnoredDuringExecution.0`,
    )
    expect(at(object, `${required}.labelSelector.matchExpressions`)).toEqual([same, other])
    expect(at(object, `${preferred}.podAffinityTerm.labelSelector.matchExpressions`)).toEqual([same, other])
    expect(at(object, 'spec.topologySpreadConstraints.0.labelSelector')).toEqual({ matchExpressions: [same] })
  })

  it('requests what it is limited to', () => {
    const object = created(
      pods,
      container({ resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1' } } }),
    )
    expect(at(object, 'spec.containers.0.resources.requests')).toEqual({ cpu: '1', memory: '1Gi' })
    expect(at(object, 'status.qosClass')).toBe('Burstable')
  })

  it('completes probes, ports, volumes and references', () => {
    const object = created(
      pods,
      pod({
        hostNetwork: true,
        containers: [
          {
            name: 'a',
            image: 'i:1',
            ports: [{ containerPort: 80 }],
            readinessProbe: { httpGet: { port: 80 } },
            env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          },
        ],
        volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 'x' } }],
      }),
    )
    expect(at(object, 'spec.containers.0.ports')).toEqual([
      { containerPort: 80, hostPort: 80, protocol: 'TCP' },
    ])
    expect(at(object, 'spec.containers.0.readinessProbe')).toEqual({
      failureThreshold: 3,
      httpGet: { path: '/', port: 80, scheme: 'HTTP' },
      periodSeconds: 10,
      successThreshold: 1,
      timeoutSeconds: 1,
    })
    expect(at(object, 'spec.containers.0.env.0.valueFrom.fieldRef.apiVersion')).toBe('v1')
    expect(at(object, 'spec.volumes')).toEqual([
      { name: 'v', emptyDir: {} },
      { name: 's', secret: { secretName: 'x', defaultMode: 420 } },
    ])
  })

  it('waits visibly while gates hold it back', () => {
    const object = created(pods, pod({ schedulingGates: [{ name: 'acme.io/quota' }] }))
    expect(at(object, 'status.conditions.0.reason')).toBe('SchedulingGated')
  })

  it('is refused without containers', () => {
    expect(createFaults(pods, pod({ containers: [] }))).toEqual(['spec.containers: Required value'])
  })

  it('is refused without a name', () => {
    expect(createFaults(pods, pod({}, { name: '' }))).toEqual([
      'metadata.name: Required value: name or generateName is required',
    ])
  })

  it('is refused with a restart policy nobody knows', () => {
    expect(createFaults(pods, pod({ restartPolicy: 'Sometimes' }))).toEqual([
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ])
  })

  it('is refused when two containers have one name', () => {
    const containers = [
      { name: 'a', image: 'i' },
      { name: 'a', image: 'i' },
    ]
    expect(createFaults(pods, pod({ containers }))).toEqual(['spec.containers[1].name: Duplicate value: "a"'])
    expect(createFaults(pods, pod({ initContainers: [{ name: 'main', image: 'i' }] }))).toEqual([
      'spec.initContainers[0].name: Duplicate value: "main"',
    ])
  })

  it.each<[string, Body, string[]]>([
    ['no image', { image: undefined }, ['spec.containers[0].image: Required value']],
    [
      'blanks around the image',
      { image: ' i' },
      ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace'],
    ],
    [
      'a mount without a volume',
      { volumeMounts: [{ name: 'nope', mountPath: '/x' }] },
      ['spec.containers[0].volumeMounts[0].name: Not found: "nope"'],
    ],
    [
      'wrong environment variables',
      {
        env: [
          { name: '', value: 'x' },
          { name: 'OK', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
      },
      [
        'spec.containers[0].env[0].name: Required value',
        'spec.containers[0].env[1].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      ],
    ],
    [
      'a request beyond its limit',
      { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
      [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    ],
    [
      'half a GPU',
      { resources: { limits: { 'nvidia.com/gpu': '500m' } } },
      [
        'spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
        'spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
      ],
    ],
    [
      'a GPU requested but not limited',
      { resources: { requests: { 'nvidia.com/gpu': '1' } } },
      [
        'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
      ],
    ],
    [
      'a port number out of range and a name without letters',
      { ports: [{ containerPort: 70000, name: '123' }] },
      [
        'spec.containers[0].ports[0].name: Invalid value: "123": must contain at least one letter (a-z)',
        'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      'a probe that does nothing',
      { livenessProbe: { periodSeconds: 5 } },
      ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
    ],
    [
      'two ways of probing',
      { livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } },
      ['spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
    ],
    [
      'no privileges and all privileges',
      { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
      [
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
    [
      'a name with upper case letters',
      { name: 'Main' },
      [
        "spec.containers[0].name: Invalid value: \"Main\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
  ])('is refused with a container with %s', (_title, fields, faults) => {
    expect(createFaults(pods, container(fields))).toEqual(faults)
  })

  it.each<[string, Body, string[]]>([
    [
      'a toleration of everything under a name',
      { tolerations: [{ operator: 'Equal', value: 'x' }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'volumes of two kinds at once',
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] },
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'node affinity without terms',
      {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
      },
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
      ],
    ],
    [
      'spreading without a topology',
      { topologySpreadConstraints: [{ maxSkew: 1, whenUnsatisfiable: 'Maybe' }] },
      [
        'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
        'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Maybe": supported values: "DoNotSchedule", "ScheduleAnyway"',
      ],
    ],
    [
      'a deadline of nothing',
      { activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      'no DNS servers',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'a node in spite of gates',
      { nodeName: 'n', schedulingGates: [{ name: 'acme.io/x' }] },
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      'ports of its own on the network of its node',
      {
        hostNetwork: true,
        containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 80, hostPort: 81 }] }],
      },
      [
        'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    ],
    [
      'probes of an init container that ends',
      {
        initContainers: [{ name: 'i', image: 'i', readinessProbe: { exec: { command: ['x'] } } }],
      },
      [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'a claim that will be made for it',
      {
        volumes: [
          {
            name: 'v',
            ephemeral: {
              volumeClaimTemplate: {
                spec: {
                  accessModes: ['ReadWriteOnce'],
                  resources: { requests: { storage: '1Gi' } },
                },
              },
            },
          },
          { name: 'w', persistentVolumeClaim: { claimName: 'p-v' } },
        ],
      },
      [
        'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "p-v": must not reference a PVC that gets created for an ephemeral volume',
      ],
    ],
  ])('is refused with %s', (_title, spec, faults) => {
    expect(createFaults(pods, pod(spec))).toEqual(faults)
  })
})

describe('a doubtful pod', () => {
  it('is accepted with a warning', () => {
    const warnings: string[] = []
    const request = { ...requestOf(pods, 'create'), warn: (text: string) => warnings.push(text) }
    const object = created(
      pods,
      pod(
        {
          containers: [
            {
              name: 'a',
              image: 'i',
              env: [
                { name: 'A', value: '1' },
                { name: 'A', value: '2' },
              ],
              resources: { requests: { memory: '1500m' } },
            },
          ],
        },
        { name: 'a.b' },
      ),
    )
    pods.prepareForCreate?.(object, request, () => [])
    expect(warnings).toEqual([
      'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
      'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer',
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ])
  })
})

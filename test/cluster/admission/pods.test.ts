import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/index.ts'
import { admissionOver, namespaceWith, pod } from './fixture.ts'

type Loose = Record<string, never>
const specOf = (object: KubeObject) =>
  object['spec'] as {
    volumes: { name: string; projected?: { sources: Loose[] } }[]
    containers: { volumeMounts: { name: string; mountPath: string }[]; resources: Loose }[]
    [field: string]: unknown
  }

describe('admission of pods', () => {
  it('gives a pod its account, its token, tolerations and a priority', async () => {
    const { object } = await admissionOver(namespaceWith('team')).admit(pod('p', 'team'))
    const spec = specOf(object)
    expect(spec).toMatchObject({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          effect: 'NoExecute',
          operator: 'Exists',
          tolerationSeconds: 300,
        },
        {
          key: 'node.kubernetes.io/unreachable',
          effect: 'NoExecute',
          operator: 'Exists',
          tolerationSeconds: 300,
        },
      ],
    })
    expect(spec.volumes[0]?.name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    expect(spec.containers[0]?.volumeMounts).toEqual([
      {
        name: spec.volumes[0]?.name,
        readOnly: true,
        mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      },
    ])
  })

  it('mounts no token where the pod or its account wants none', async () => {
    const admission = admissionOver(namespaceWith('team'))
    const { object } = await admission.admit(pod('p', 'team', { automountServiceAccountToken: false }))
    expect(specOf(object).volumes).toBeUndefined()
  })

  it('refuses a service account that is not there', async () => {
    await expect(
      admissionOver(namespaceWith('t-pod')).admit(pod('badsa', 't-pod', { serviceAccountName: 'ghost' })),
    ).rejects.toThrow(
      'pods "badsa" is forbidden: error looking up service account t-pod/ghost: serviceaccount "ghost" not found',
    )
  })

  it('refuses anything new in a namespace that is absent or going away', async () => {
    const objects = namespaceWith('t-ns1')
    objects.put('/namespaces', { metadata: { name: 't-ns1' }, status: { phase: 'Terminating' } })
    const admission = admissionOver(objects)
    const late = { metadata: { name: 'late', namespace: 't-ns1' } }
    await expect(admission.admit(late, { resource: '/configmaps' })).rejects.toMatchObject({
      status: {
        code: 403,
        message:
          'configmaps "late" is forbidden: unable to create new content in namespace t-ns1 because it is being terminated',
        details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
      },
    })
    await expect(
      admission.admit({ metadata: { name: 'x', namespace: 'absent' } }, { resource: '/configmaps' }),
    ).rejects.toThrow('namespaces "absent" not found')
  })

  it('resolves priority classes and refuses a number of ones own', async () => {
    const objects = namespaceWith('team')
    objects.put('scheduling.k8s.io/priorityclasses', {
      metadata: { name: 'low' },
      value: 7,
      preemptionPolicy: 'Never',
    })
    const admission = admissionOver(objects)
    const { object } = await admission.admit(pod('p', 'team', { priorityClassName: 'low' }))
    expect(specOf(object)).toMatchObject({ priority: 7, preemptionPolicy: 'Never' })
    await expect(admission.admit(pod('p', 'team', { priorityClassName: 'none' }))).rejects.toThrow(
      'no PriorityClass with name none was found',
    )
    await expect(admission.admit(pod('p', 'team', { priority: 5 }))).rejects.toThrow(
      'the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
  })

  it('fills in defaults of limit ranges, notes them, and refuses what is outside', async () => {
    const objects = namespaceWith('team')
    objects.put('/limitranges', {
      metadata: { name: 'lr', namespace: 'team' },
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '500m', memory: '256Mi' },
            defaultRequest: { cpu: '100m', memory: '256Mi' },
            max: { cpu: '2' },
            min: { memory: '64Mi' },
          },
        ],
      },
    })
    const admission = admissionOver(objects)
    const { object } = await admission.admit(pod('lr1', 'team'))
    expect(object.metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu, memory request for container c0; cpu, memory limit for container c0',
    })
    expect(specOf(object).containers[0]?.resources).toEqual({
      requests: { cpu: '100m', memory: '256Mi' },
      limits: { cpu: '500m', memory: '256Mi' },
    })
    const asking = (resources: object): KubeObject =>
      pod('lr2', 'team', { containers: [{ name: 'c0', image: 'i', resources }] })
    await expect(admission.admit(asking({ requests: { cpu: '3' }, limits: { cpu: '3' } }))).rejects.toThrow(
      'pods "lr2" is forbidden: maximum cpu usage per Container is 2, but limit is 3',
    )
    await expect(
      admission.admit(asking({ requests: { memory: '1Mi' }, limits: { memory: '1Mi' } })),
    ).rejects.toThrow('minimum memory usage per Container is 64Mi, but request is 1Mi')
  })
})

describe('pod security', () => {
  it('lists every violation of the restricted level in the order of Kubernetes', async () => {
    const objects = namespaceWith('t-psa', { 'pod-security.kubernetes.io/enforce': 'restricted' })
    await expect(
      admissionOver(objects).admit(
        pod('p', 't-psa', {
          hostNetwork: true,
          containers: [{ name: 'm', image: 'i', securityContext: { privileged: true } }],
        }),
      ),
    ).rejects.toThrow(
      'pods "p" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), privileged (container "m" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (container "m" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "m" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "m" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "m" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    )
  })

  it('warns about pods and templates that a stricter level would refuse', async () => {
    const objects = namespaceWith('t-psa', { 'pod-security.kubernetes.io/warn': 'baseline' })
    const job = {
      metadata: { name: 'j', namespace: 't-psa' },
      spec: { template: { spec: { hostPID: true, containers: [{ name: 'm', image: 'i' }] } } },
    }
    const { warnings } = await admissionOver(objects).admit(job, { resource: 'batch/jobs' })
    expect(warnings).toEqual(['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'])
  })

  it('refuses a level that does not exist and warns of pods that a new level hits', async () => {
    const objects = namespaceWith('t-psa')
    const admission = admissionOver(objects)
    const before = objects.get('/namespaces', undefined, 't-psa')
    const labelled = (level: string): object => ({
      metadata: { name: 't-psa', labels: { 'pod-security.kubernetes.io/enforce': level } },
    })
    const update = {
      resource: '/namespaces',
      kind: 'Namespace',
      operation: 'UPDATE' as const,
      old: before ?? {},
    }
    await expect(admission.admit(labelled('strictest'), update)).rejects.toThrow(
      'Namespace "t-psa" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strictest": must be one of privileged, baseline, restricted',
    )
    for (const name of ['a', 'b']) objects.put('/pods', pod(name, 't-psa', { hostPID: true }))
    const { warnings } = await admission.admit(labelled('baseline'), update)
    expect(warnings).toEqual([
      'existing pods in namespace "t-psa" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 1 other pod): host namespaces',
    ])
  })
})

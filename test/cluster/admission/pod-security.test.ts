import { describe, expect, it } from 'vitest'
import { violations } from '../../../src/cluster/admission/pod-security/checks.ts'
import type { Level } from '../../../src/cluster/admission/pod-security/level.ts'
import { describe as worded } from '../../../src/cluster/admission/pod-security/wording.ts'

const compliant = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
}

function judged(
  level: Level,
  spec: object,
  options: { version?: number; annotations?: object } = {},
): string {
  const pod = {
    metadata: { annotations: options.annotations ?? {} },
    spec: { containers: [{ name: 'm', image: 'i', securityContext: compliant }], ...spec },
  }
  return worded(violations(pod as never, { level, version: options.version ?? 'latest' }))
}

const container = (name: string, rest: object): object => ({ name, image: 'i', ...rest })
const secured = (name: string, context: object): object =>
  container(name, { securityContext: { ...compliant, ...context } })

describe('the Pod Security Standards', () => {
  it.each<[string, Level, object, string]>([
    ['a plain pod at baseline', 'baseline', { containers: [container('m', {})] }, ''],
    ['a compliant pod at restricted', 'restricted', {}, ''],
    [
      'host ports',
      'baseline',
      {
        containers: [
          container('a', { ports: [{ hostPort: 8080, containerPort: 1 }] }),
          container('b', { ports: [{ hostPort: 9090, containerPort: 1 }] }),
        ],
      },
      'hostPorts (containers "a", "b" use hostPorts 8080, 9090)',
    ],
    [
      'capabilities at baseline',
      'baseline',
      {
        containers: [
          container('a', { securityContext: { capabilities: { add: ['NET_ADMIN', 'CHOWN', 'BPF'] } } }),
        ],
      },
      'non-default capabilities (container "a" must not include "BPF", "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'capabilities at restricted',
      'restricted',
      { containers: [secured('a', { capabilities: { add: ['CHOWN'] } })] },
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      'volumes at restricted',
      'restricted',
      {
        volumes: [
          { name: 'h', hostPath: { path: '/' } },
          { name: 'n', nfs: { server: 's', path: '/' } },
          { name: 'ok', emptyDir: {} },
        ],
      },
      'restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'root as user',
      'restricted',
      { securityContext: { runAsUser: 0 }, containers: [secured('a', { runAsUser: 0 })] },
      'runAsUser=0 (pod and container "a" must not set runAsUser=0)',
    ],
    [
      'runAsNonRoot switched off',
      'restricted',
      { securityContext: { runAsNonRoot: false }, containers: [secured('a', { runAsNonRoot: false })] },
      'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
    ],
    [
      'an unconfined seccomp profile',
      'baseline',
      { containers: [secured('a', { seccompProfile: { type: 'Unconfined' } })] },
      'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'sysctls',
      'baseline',
      {
        securityContext: {
          sysctls: [
            { name: 'kernel.msgmax', value: '1' },
            { name: 'net.ipv4.tcp_syncookies', value: '1' },
          ],
        },
      },
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'SELinux options',
      'baseline',
      { securityContext: { seLinuxOptions: { type: 'spc_t', user: 'u' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      'an AppArmor profile',
      'baseline',
      { containers: [secured('a', { appArmorProfile: { type: 'Unconfined' } })] },
      'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'hosts of probes',
      'baseline',
      { containers: [container('a', { livenessProbe: { httpGet: { host: '1.2.3.4', port: 1 } } })] },
      'probe or lifecycle host (container "a" uses probe or lifecycle host "1.2.3.4")',
    ],
    [
      'Windows host processes',
      'baseline',
      { securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'init and ephemeral containers',
      'baseline',
      {
        initContainers: [container('i', { securityContext: { privileged: true } })],
        ephemeralContainers: [container('e', { securityContext: { privileged: true } })],
      },
      'privileged (containers "i", "e" must not set securityContext.privileged=true)',
    ],
  ])('have the words of Kubernetes for %s', (_, level, spec, expected) => {
    expect(judged(level, spec)).toBe(expected)
  })

  it('are those of the version a namespace asks for', () => {
    const spec = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } }
    expect(judged('baseline', spec, { version: 31 })).toBe('forbidden sysctls (net.ipv4.tcp_rmem)')
    expect(judged('baseline', spec, { version: 32 })).toBe('')
    expect(judged('restricted', { containers: [secured('a', { runAsUser: 0 })] }, { version: 22 })).toBe('')
  })

  it('let root be root in a user namespace of its own', () => {
    const spec = { hostUsers: false, containers: [secured('a', { runAsUser: 0, runAsNonRoot: false })] }
    expect(judged('restricted', spec)).toBe('')
  })
})

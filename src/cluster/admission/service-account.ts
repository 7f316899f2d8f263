import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Admission, Admitter } from '../registry/index.ts'
import type { Container, Pod, ServiceAccount } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { containersOf, podOf } from './pod.ts'
import { refused } from './refusal.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'
const enforceMountable = 'kubernetes.io/enforce-mountable-secrets'
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const tokenVolumePrefix = 'kube-api-access-'
const tokenSeconds = 3607

// The controller makes the default account right after the namespace; a pod that is faster waits for it.
const defaultAccountWaits = 40
const defaultAccountWaitMs = 25

type PodSpec = NonNullable<Pod['spec']>

/** Gives every pod its service account, the account's token and its image pull secrets. */
export function serviceAccount({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  const lookUp = (namespace: string, name: string): ServiceAccount | undefined =>
    reader.get('/serviceaccounts', namespace, name) as ServiceAccount | undefined

  async function find(admission: Admission, name: string): Promise<ServiceAccount> {
    const namespace = admission.request.namespace ?? ''
    let account = lookUp(namespace, name)
    const waits = name === 'default' ? defaultAccountWaits : 0
    for (let wait = 0; account === undefined && wait < waits; wait++) {
      await delay(defaultAccountWaitMs, undefined, { signal: admission.request.signal })
      account = lookUp(namespace, name)
    }
    if (account !== undefined) return account
    throw refused(
      admission,
      `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
    )
  }

  async function admit(admission: Admission, pod: Pod, spec: PodSpec): Promise<void> {
    if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) return checkMirrorPod(admission, spec)
    const name = spec.serviceAccountName || spec.serviceAccount || 'default'
    spec.serviceAccountName = name
    spec.serviceAccount = name
    const account = await find(admission, name)
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec)
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }))
    }
  }

  return {
    name: 'ServiceAccount',
    mutate(admission: Admission): Promise<void> | void {
      if (admission.operation !== 'CREATE') return undefined
      const pod = podOf(admission)
      return pod?.spec === undefined ? undefined : admit(admission, pod, pod.spec)
    },
    validate(admission: Admission): void {
      const { operation } = admission
      const pod =
        operation === 'CREATE'
          ? podOf(admission)
          : operation === 'UPDATE'
            ? podOf(admission, 'ephemeralcontainers')
            : undefined
      if (pod?.spec === undefined) return
      if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined)
        return checkMirrorPod(admission, pod.spec)
      const namespace = admission.request.namespace ?? ''
      const name = pod.spec.serviceAccountName
      if (!name) {
        throw refused(
          admission,
          `no service account specified for pod ${namespace}/${pod.metadata?.name ?? ''}`,
        )
      }
      const account = lookUp(namespace, name)
      if (account === undefined) {
        throw refused(
          admission,
          `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
        )
      }
      if (account.metadata?.annotations?.[enforceMountable] === 'true') {
        const complaint = secretComplaint(account, pod)
        if (complaint !== undefined) throw refused(admission, complaint)
      }
    },
  }
}

/** Mirror pods stand for files on a node; they must not reach for anything of the API. */
function checkMirrorPod(admission: Admission, spec: PodSpec): void {
  if (spec.serviceAccountName) throw refused(admission, 'a mirror pod may not reference service accounts')
  if ([...secretNames(spec)].length > 0) throw refused(admission, 'a mirror pod may not reference secrets')
  for (const volume of spec.volumes ?? []) {
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken)) {
      throw refused(admission, 'a mirror pod may not use ServiceAccountToken volume projections')
    }
  }
}

function mountToken(spec: PodSpec): void {
  const existing = spec.volumes?.find((volume) => volume.name.startsWith(tokenVolumePrefix))
  const name = existing?.name ?? freshVolumeName(spec)
  let isMounted = false
  const mount = (container: Container): void => {
    if (container.volumeMounts?.some((one) => one.mountPath === tokenPath)) return
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name, readOnly: true, mountPath: tokenPath },
    ]
    isMounted = true
  }
  for (const container of spec.initContainers ?? []) mount(container)
  for (const container of spec.containers ?? []) mount(container)
  if (existing !== undefined || !isMounted) return
  spec.volumes = [
    ...(spec.volumes ?? []),
    {
      name,
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
        defaultMode: 0o644,
      },
    },
  ]
}

// The letters of Kubernetes' own generated names: no vowels and nothing that looks like one.
const letters = 'bcdfghjklmnpqrstvwxz2456789'

function freshVolumeName(spec: PodSpec): string {
  for (;;) {
    let name = tokenVolumePrefix
    for (let i = 0; i < 5; i++) name += letters[randomInt(letters.length)] ?? ''
    if (!spec.volumes?.some((volume) => volume.name === name)) return name
  }
}

function* secretNames(spec: PodSpec): Generator<string> {
  for (const secret of spec.imagePullSecrets ?? []) if (secret.name) yield secret.name
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const source of container.envFrom ?? []) if (source.secretRef?.name) yield source.secretRef.name
    for (const variable of container.env ?? []) {
      const name = variable.valueFrom?.secretKeyRef?.name
      if (name) yield name
    }
  }
  for (const volume of spec.volumes ?? []) {
    if (volume.secret?.secretName) yield volume.secret.secretName
    for (const source of volume.projected?.sources ?? []) if (source.secret?.name) yield source.secret.name
  }
}

/** What is wrong with the secrets of a pod whose account names the only ones it may use. */
function secretComplaint(account: ServiceAccount, pod: Pod): string | undefined {
  const mountable = new Set((account.secrets ?? []).map((secret) => secret.name))
  const pullable = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name))
  const of = account.metadata?.name ?? ''
  for (const volume of pod.spec?.volumes ?? []) {
    const name = volume.secret?.secretName
    if (name && !mountable.has(name)) {
      return `volume with secret.secretName="${name}" is not allowed because service account ${of} does not reference that secret`
    }
  }
  for (const container of containersOf(pod)) {
    for (const variable of container.env ?? []) {
      const name = variable.valueFrom?.secretKeyRef?.name
      if (name && !mountable.has(name)) {
        return `container ${container.name} with envVar ${variable.name} referencing secret.secretName="${name}" is not allowed because service account ${of} does not reference that secret`
      }
    }
    for (const source of container.envFrom ?? []) {
      const name = source.secretRef?.name
      if (name && !mountable.has(name)) {
        return `container ${container.name} with envFrom referencing secret.secretName="${name}" is not allowed because service account ${of} does not reference that secret`
      }
    }
  }
  for (const [index, secret] of (pod.spec?.imagePullSecrets ?? []).entries()) {
    if (!pullable.has(secret.name ?? '')) {
      return `imagePullSecrets[${index}].name="${secret.name ?? ''}" is not allowed because service account ${of} does not reference that imagePullSecret`
    }
  }
  return undefined
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Namespace, type Persisted, kinds } from '../../../src/kube/index.ts'
import { type RunningCluster, runCluster } from './running-cluster.ts'

let cluster: RunningCluster

beforeAll(async () => {
  cluster = await runCluster()
})
afterAll(() => cluster.close())

async function namespace(name: string): Promise<Persisted<Namespace>> {
  return cluster.client.create(kinds.namespaces, { metadata: { name } })
}

const exists = (object: unknown): boolean => object !== undefined
const isGone = (object: unknown): boolean => object === undefined

describe('a namespace', () => {
  it('gets its default account and the certificate of the server', async () => {
    await namespace('fresh')
    await cluster.until(kinds.serviceAccounts, { namespace: 'fresh', name: 'default' }, exists)
    const map = await cluster.until(
      kinds.configMaps,
      { namespace: 'fresh', name: 'kube-root-ca.crt' },
      exists,
    )
    expect(map?.data?.['ca.crt']).toContain('BEGIN CERTIFICATE')
  })

  it('gets its default account back when somebody deletes it', async () => {
    await namespace('again')
    const at = { namespace: 'again', name: 'default' }
    const first = await cluster.until(kinds.serviceAccounts, at, exists)
    await cluster.client.delete(kinds.serviceAccounts, at)
    const second = await cluster.until(
      kinds.serviceAccounts,
      at,
      (account) => account !== undefined && account.metadata.uid !== first?.metadata.uid,
    )
    expect(second?.metadata.name).toBe('default')
  })

  it('gets a tampered certificate put right', async () => {
    await namespace('tampered')
    const at = { namespace: 'tampered', name: 'kube-root-ca.crt' }
    const map = await cluster.until(kinds.configMaps, at, exists)
    if (map === undefined) throw new Error('no certificate')
    await cluster.client.replace(kinds.configMaps, at, { ...map, data: { 'ca.crt': 'forged' } })
    await cluster.until(kinds.configMaps, at, (now) => now?.data?.['ca.crt'] === map.data?.['ca.crt'])
  })

  it('waits for finalizers of its content, says so, and goes at last', async () => {
    await namespace('held')
    const at = { namespace: 'held', name: 'holder' }
    await cluster.client.create(
      kinds.configMaps,
      { metadata: { ...at, finalizers: ['example.com/hold'] } },
      at,
    )
    await cluster.client.delete(kinds.namespaces, { name: 'held' })
    const waiting = await cluster.until(kinds.namespaces, { name: 'held' }, (now) =>
      (now?.status?.conditions ?? []).some(
        ({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True',
      ),
    )
    const messages = (waiting?.status?.conditions ?? []).map(({ message }) => message)
    expect(messages).toEqual([
      'All resources successfully discovered',
      'All legacy kube types successfully parsed',
      'All content successfully deleted, may be waiting on finalization',
      'Some resources are remaining: configmaps. has 1 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ])
    await cluster.client.patch(kinds.configMaps, at, {
      type: 'merge',
      patch: { metadata: { finalizers: null } },
    })
    await cluster.until(kinds.namespaces, { name: 'held' }, isGone)
  })
})

describe('garbage collection', () => {
  const at = (name: string) => ({ namespace: 'garbage', name })
  const make = (name: string, metadata: object = {}) =>
    cluster.client.create(kinds.configMaps, { metadata: { ...at(name), ...metadata } }, at(name))
  const ownedBy = (...owners: { metadata: { name: string; uid: string } }[]) => ({
    ownerReferences: owners.map(({ metadata }) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: metadata.name,
      uid: metadata.uid,
      blockOwnerDeletion: true,
    })),
  })

  beforeAll(() => namespace('garbage'))

  it('deletes what has lost its last owner, through generations', async () => {
    const owner = await make('grandmother')
    const child = await make('mother', ownedBy(owner))
    await make('daughter', ownedBy(child))
    await cluster.client.delete(kinds.configMaps, at('grandmother'))
    await cluster.until(kinds.configMaps, at('daughter'), isGone)
    await cluster.until(kinds.configMaps, at('mother'), isGone)
  })

  it('keeps what still has an owner and forgets the other', async () => {
    const [first, second] = [await make('first'), await make('second')]
    await make('shared', ownedBy(first, second))
    await cluster.client.delete(kinds.configMaps, at('first'))
    const kept = await cluster.until(
      kinds.configMaps,
      at('shared'),
      (now) => now?.metadata.ownerReferences?.length === 1,
    )
    expect(kept?.metadata.ownerReferences?.[0]?.name).toBe('second')
  })

  it('sets dependents free when asked to', async () => {
    const owner = await make('leaving')
    await make('orphan', ownedBy(owner))
    await cluster.client.delete(kinds.configMaps, at('leaving'), { propagationPolicy: 'Orphan' })
    await cluster.until(kinds.configMaps, at('leaving'), isGone)
    const orphan = await cluster.client.get(kinds.configMaps, at('orphan'))
    expect(orphan.metadata.ownerReferences).toBeUndefined()
  })

  it('deletes dependents first when asked to', async () => {
    const owner = await make('patient')
    await make('slow', { ...ownedBy(owner), finalizers: ['example.com/slow'] })
    await cluster.client.delete(kinds.configMaps, at('patient'), { propagationPolicy: 'Foreground' })
    await cluster.until(kinds.configMaps, at('slow'), (now) => now?.metadata.deletionTimestamp !== undefined)
    const waiting = await cluster.client.get(kinds.configMaps, at('patient'))
    expect(waiting.metadata.finalizers).toEqual(['foregroundDeletion'])
    await cluster.client.patch(kinds.configMaps, at('slow'), {
      type: 'merge',
      patch: { metadata: { finalizers: null } },
    })
    await cluster.until(kinds.configMaps, at('patient'), isGone)
  })

  it('deletes what names an owner that never was, or another one of that name', async () => {
    const namesake = await make('namesake')
    await make(
      'misled',
      ownedBy({ metadata: { name: namesake.metadata.name, uid: '11111111-1111-1111-1111-111111111111' } }),
    )
    await cluster.until(kinds.configMaps, at('misled'), isGone)
    await cluster.client.get(kinds.configMaps, at('namesake'))
  })

  it('lets nobody harm what is owned in another namespace by naming its owner', async () => {
    await namespace('envious')
    const elsewhere = (name: string) => ({ namespace: 'envious', name })
    const pretend = (name: string, more: object) =>
      cluster.client.create(kinds.configMaps, { metadata: { ...elsewhere(name), ...more } }, elsewhere(name))
    const owner = await make('envied')
    await pretend('pretender', ownedBy(owner))
    await cluster.until(kinds.configMaps, elsewhere('pretender'), isGone)
    const { uid } = owner.metadata
    const told = async () => {
      const { items } = await cluster.client.list(kinds.events, { namespace: 'envious' })
      return items.map(({ reason, type, message }) => ({ reason, type, message }))
    }
    await expect.poll(told).toContainEqual({
      reason: 'OwnerRefInvalidNamespace',
      type: 'Warning',
      message: `ownerRef [v1/ConfigMap, namespace: envious, name: envied, uid: ${uid}] does not exist in namespace "envious"`,
    })
    const rightful = await make('rightful', ownedBy(owner))
    // Looked at after it, and gone: it was looked at, and stayed.
    await make('late', ownedBy({ metadata: { name: 'nobody', uid: '22222222-2222-2222-2222-222222222222' } }))
    await cluster.until(kinds.configMaps, at('late'), isGone)
    expect(await cluster.client.get(kinds.configMaps, at('rightful'))).toEqual(rightful)

    await pretend('clinging', { ...ownedBy(owner), finalizers: ['example.com/cling'] })
    await cluster.client.delete(kinds.configMaps, at('envied'), { propagationPolicy: 'Foreground' })
    await cluster.until(kinds.configMaps, at('envied'), isGone)
    await cluster.client.patch(kinds.configMaps, elsewhere('clinging'), {
      type: 'merge',
      patch: { metadata: { finalizers: null } },
    })
  })
})

describe('volumes and claims', () => {
  const claimAt = (name: string) => ({ namespace: 'volumes', name })
  const volume = async (name: string, size: string, spec: object = {}) => {
    await cluster.client.create(kinds.persistentVolumes, {
      metadata: { name },
      spec: {
        capacity: { storage: size },
        accessModes: ['ReadWriteMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'shared',
        nfs: { server: 'nas.example', path: `/${name}` },
        ...spec,
      },
    })
    await cluster.until(kinds.persistentVolumes, { name }, (now) => now?.status?.phase !== 'Pending')
  }
  const claim = (name: string, size: string, spec: object = {}) =>
    cluster.client.create(
      kinds.persistentVolumeClaims,
      {
        metadata: claimAt(name),
        spec: {
          accessModes: ['ReadWriteMany'],
          storageClassName: 'shared',
          resources: { requests: { storage: size } },
          ...spec,
        },
      },
      claimAt(name),
    )
  const isBound = (object: { status?: { phase?: string } } | undefined): boolean =>
    object?.status?.phase === 'Bound'

  beforeAll(() => namespace('volumes'))

  it('binds a claim to the smallest volume that is large enough', async () => {
    await volume('large', '50Gi')
    await volume('small', '1Gi')
    await volume('fitting', '10Gi')
    await claim('ten', '8Gi')
    const bound = await cluster.until(kinds.persistentVolumeClaims, claimAt('ten'), isBound)
    expect(bound?.spec?.volumeName).toBe('fitting')
    expect(bound?.status?.capacity).toEqual({ storage: '10Gi' })
    expect(bound?.metadata.annotations).toMatchObject({
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    })
  })

  it('binds a waiting claim as soon as a volume for it comes', async () => {
    await claim('early', '70Gi')
    await volume('late', '80Gi')
    const bound = await cluster.until(kinds.persistentVolumeClaims, claimAt('early'), isBound)
    expect(bound?.spec?.volumeName).toBe('late')
  })

  it('gives a claim that names no class the default one that comes later, unless it wants none', async () => {
    const classless = (name: string, spec: object) =>
      cluster.client.create(
        kinds.persistentVolumeClaims,
        {
          metadata: claimAt(name),
          spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } }, ...spec },
        },
        claimAt(name),
      )
    await classless('any-class', {})
    await classless('no-class', { storageClassName: '' })
    const marked = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    await cluster.client.create(kinds.storageClasses, {
      metadata: { name: 'late-default', annotations: marked },
      provisioner: 'example.com/disk',
    })
    const given = await cluster.until(
      kinds.persistentVolumeClaims,
      claimAt('any-class'),
      (now) => now?.spec?.storageClassName !== undefined,
    )
    expect(given?.spec?.storageClassName).toBe('late-default')
    const refused = await cluster.client.get(kinds.persistentVolumeClaims, claimAt('no-class'))
    expect(refused.spec?.storageClassName).toBe('')
    await cluster.client.delete(kinds.storageClasses, { name: 'late-default' })
  })

  it('keeps a volume that is promised to a claim for that claim', async () => {
    await volume('promised', '5Gi', { storageClassName: 'own', claimRef: claimAt('chosen') })
    await claim('other', '1Gi', { storageClassName: 'own' })
    await claim('chosen', '1Gi', { storageClassName: 'own' })
    const bound = await cluster.until(kinds.persistentVolumeClaims, claimAt('chosen'), isBound)
    expect(bound?.spec?.volumeName).toBe('promised')
    const other = await cluster.client.get(kinds.persistentVolumeClaims, claimAt('other'))
    expect(other.status?.phase).toBe('Pending')
  })

  it('releases a volume whose claim goes before it knows of the volume', async () => {
    await claim('unaware', '5Gi', { storageClassName: 'half' })
    const { uid } = (await cluster.client.get(kinds.persistentVolumeClaims, claimAt('unaware'))).metadata
    // Too small for the claim, so that the two never come together.
    await cluster.client.create(kinds.persistentVolumes, {
      metadata: { name: 'half-bound' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany'],
        storageClassName: 'half',
        nfs: { server: 'nas.example', path: '/half-bound' },
        claimRef: { ...claimAt('unaware'), uid },
      },
    })
    await cluster.client.delete(kinds.persistentVolumeClaims, claimAt('unaware'))
    await cluster.until(
      kinds.persistentVolumes,
      { name: 'half-bound' },
      (now) => now?.status?.phase === 'Released',
    )
    await cluster.client.delete(kinds.persistentVolumes, { name: 'half-bound' })
  })

  it('releases a volume when its claim goes, and tells a claim that its volume is lost', async () => {
    await volume('kept', '3Gi', { storageClassName: 'third' })
    await claim('third', '1Gi', { storageClassName: 'third' })
    await cluster.until(kinds.persistentVolumeClaims, claimAt('third'), isBound)
    await cluster.client.delete(kinds.persistentVolumeClaims, claimAt('third'))
    await cluster.until(kinds.persistentVolumes, { name: 'kept' }, (now) => now?.status?.phase === 'Released')

    await volume('lost', '3Gi', { storageClassName: 'fourth' })
    await claim('fourth', '1Gi', { storageClassName: 'fourth' })
    await cluster.until(kinds.persistentVolumeClaims, claimAt('fourth'), isBound)
    await cluster.client.delete(kinds.persistentVolumes, { name: 'lost' })
    const held = await cluster.client.get(kinds.persistentVolumes, { name: 'lost' })
    expect(held.metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
    await cluster.client.patch(
      kinds.persistentVolumes,
      { name: 'lost' },
      { type: 'merge', patch: { metadata: { finalizers: null } } },
    )
    await cluster.until(
      kinds.persistentVolumeClaims,
      claimAt('fourth'),
      (now) => now?.status?.phase === 'Lost',
    )
  })

  it('keeps a claim that is mounted until its pod is gone', async () => {
    await cluster.until(kinds.serviceAccounts, { namespace: 'volumes', name: 'default' }, exists)
    await volume('mounted', '3Gi', { storageClassName: 'fifth' })
    await claim('fifth', '1Gi', { storageClassName: 'fifth' })
    await cluster.until(kinds.persistentVolumeClaims, claimAt('fifth'), isBound)
    const pod = {
      metadata: claimAt('user'),
      spec: {
        nodeName: 'elsewhere',
        containers: [{ name: 'c', image: 'busybox' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'fifth' } }],
      },
    }
    await cluster.client.create(kinds.pods, pod, claimAt('user'))
    await cluster.client.delete(kinds.persistentVolumeClaims, claimAt('fifth'))
    const held = await cluster.client.get(kinds.persistentVolumeClaims, claimAt('fifth'))
    expect(held.metadata.deletionTimestamp).toBeDefined()
    await cluster.client.delete(kinds.pods, claimAt('user'), { gracePeriodSeconds: 0 })
    await cluster.until(kinds.persistentVolumeClaims, claimAt('fifth'), isGone)
  })
})

describe('quota', () => {
  it('counts down when what was counted goes', async () => {
    await namespace('counted')
    const at = (name: string) => ({ namespace: 'counted', name })
    await cluster.until(kinds.configMaps, at('kube-root-ca.crt'), exists)
    await cluster.client.create(
      kinds.resourceQuotas,
      { metadata: at('q'), spec: { hard: { 'count/configmaps': '5' } } },
      at('q'),
    )
    const used = (count: string) =>
      cluster.until(kinds.resourceQuotas, at('q'), (now) => now?.status?.used?.['count/configmaps'] === count)
    await used('1')
    await cluster.client.create(kinds.configMaps, { metadata: at('one') }, at('one'))
    await used('2')
    await cluster.client.delete(kinds.configMaps, at('one'))
    await used('1')
  })
})

describe('aggregated roles', () => {
  it('take in the rules of the roles that their selector finds, and drop them again', async () => {
    const labels = { 'example.com/add-to': 'all' }
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
    await cluster.client.create(kinds.clusterRoles, {
      metadata: { name: 'all' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: labels }] },
    })
    await cluster.client.create(kinds.clusterRoles, { metadata: { name: 'part', labels }, rules })
    await cluster.until(kinds.clusterRoles, { name: 'all' }, (role) => role?.rules?.length === 1)
    await cluster.client.delete(kinds.clusterRoles, { name: 'part' })
    await cluster.until(kinds.clusterRoles, { name: 'all' }, (role) => (role?.rules ?? []).length === 0)
  })
})

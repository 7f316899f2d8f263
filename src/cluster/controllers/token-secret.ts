import {
  type KubeObject,
  type Persisted,
  type Secret,
  type ServiceAccount,
  WorkQueue,
  keyOf,
  kinds,
  parseKey,
  startInformer,
} from '../../kube/index.ts'
import { type Controller, managerAccount, reconcile, unlessGone } from './controller.ts'

const tokenType = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'

const encoded = (text: string): string => Buffer.from(text).toString('base64')

/** Fills secrets that ask for a service account's token, and removes them when the account goes. */
export const tokenSecretController: Controller = {
  name: 'tokens-controller',
  actsAs: managerAccount,
  async run(context) {
    const { client, reader, informers, signal, settings, onError } = context
    const mintToken = settings.mintToken
    if (mintToken === undefined) return
    const accounts = informers.of(kinds.serviceAccounts)
    const secrets = startInformer(reader, kinds.secrets, {
      fieldSelector: `type=${tokenType}`,
      signal,
      onError,
    })
    const byAccount = new Map<string, Set<string>>()
    const queue = new WorkQueue()
    const accountKey = (secret: Persisted<Secret>): string =>
      `${secret.metadata.namespace ?? ''}/${secret.metadata.annotations?.[nameAnnotation] ?? ''}`
    secrets.subscribe((change) => {
      if (change.type === 'SYNCED') return
      const key = keyOf(change.object)
      if (change.type === 'DELETED') {
        byAccount.get(accountKey(change.object))?.delete(key)
        return
      }
      const owned = byAccount.get(accountKey(change.object)) ?? new Set()
      byAccount.set(accountKey(change.object), owned.add(key))
      queue.add(key)
    })
    accounts.subscribe((change) => {
      if (change.type === 'MODIFIED') return
      for (const key of byAccount.get(keyOf(change.object)) ?? []) queue.add(key)
    })
    await Promise.all([accounts.synced, secrets.synced])

    async function sync(key: string): Promise<void> {
      const secret = secrets.get(parseKey(key))
      if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return
      const { namespace = '', name, annotations = {} } = secret.metadata
      const accountName = annotations[nameAnnotation]
      if (accountName === undefined) return
      // The cache may be a moment behind; a token must not be thrown away for that.
      const account =
        accounts.get({ namespace, name: accountName }) ??
        (await unlessGone(client.get(kinds.serviceAccounts, { namespace, name: accountName }, { signal })))
      const wantedUid = annotations[uidAnnotation]
      if (account === undefined || (wantedUid !== undefined && wantedUid !== account.metadata.uid)) {
        const preconditions = { uid: secret.metadata.uid }
        await client.delete(kinds.secrets, { namespace, name }, { preconditions, signal })
        return
      }
      const next = await filled(secret, account)
      if (next !== undefined) await client.replace(kinds.secrets, { namespace, name }, next, { signal })
    }

    async function filled(
      secret: Persisted<Secret>,
      account: Persisted<ServiceAccount>,
    ): Promise<Persisted<Secret> | undefined> {
      const { namespace = '', name, annotations = {} } = secret.metadata
      const data = { ...secret.data }
      const certificate = settings.rootCertificate
      if (certificate !== undefined) data['ca.crt'] = encoded(certificate)
      data['namespace'] ??= encoded(namespace)
      if (!data['token'] && mintToken !== undefined) {
        data['token'] = encoded(await mintToken(account as KubeObject, name))
      }
      const isComplete =
        annotations[uidAnnotation] === account.metadata.uid &&
        JSON.stringify(data) === JSON.stringify(secret.data ?? {})
      if (isComplete) return undefined
      return {
        ...secret,
        metadata: {
          ...secret.metadata,
          annotations: { ...annotations, [uidAnnotation]: account.metadata.uid },
        },
        data,
      }
    }

    await reconcile(context, queue, sync)
  },
}

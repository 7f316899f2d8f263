import { WorkQueue, kinds, startInformer } from '../../kube/index.ts'
import { type Controller, reconcile } from './controller.ts'

const name = 'kube-root-ca.crt'
const fileName = 'ca.crt'
const annotation = 'kubernetes.io/description'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Publishes the server's certificate authority in every namespace, so that pods can trust the API. */
export const rootCertificateController: Controller = {
  name: 'root-ca-cert-publisher',
  async run(context) {
    const { client, reader, informers, signal, settings, onError } = context
    const certificate = settings.rootCertificate
    if (certificate === undefined) return
    const namespaces = informers.of(kinds.namespaces)
    const maps = startInformer(reader, kinds.configMaps, {
      fieldSelector: `metadata.name=${name}`,
      signal,
      onError,
    })
    const queue = new WorkQueue()
    namespaces.subscribe((change) => {
      if (change.type !== 'DELETED') queue.add(change.object.metadata.name)
    })
    maps.subscribe((change) => {
      if (change.type !== 'SYNCED') queue.add(change.object.metadata.namespace ?? '')
    })
    await maps.synced
    await reconcile(context, queue, async (namespace) => {
      if (namespaces.get({ name: namespace })?.status?.phase !== 'Active') return
      const current = maps.get({ namespace, name })
      const data = { [fileName]: certificate }
      if (current === undefined) {
        await client.create(
          kinds.configMaps,
          { metadata: { name, namespace, annotations: { [annotation]: description } }, data },
          { namespace, signal },
        )
        return
      }
      const isRight =
        JSON.stringify(current.data) === JSON.stringify(data) &&
        current.metadata.annotations?.[annotation] === description
      if (isRight) return
      const annotations = { ...current.metadata.annotations, [annotation]: description }
      await client.replace(
        kinds.configMaps,
        { namespace, name },
        { ...current, metadata: { ...current.metadata, annotations }, data },
        { signal },
      )
    })
  },
}

import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../src/errors.ts'
import {
  createKubeClient,
  type KubeClient,
  kinds,
  linesOf,
  openHttpsTransport,
  StatusError,
} from '../../src/kube/index.ts'
import { type Handler, json, type Seen, startServer } from './http-server.ts'

async function clientTo(handler: Handler): Promise<{ client: KubeClient; seen: Seen[]; url: string }> {
  const { url, seen } = await startServer(handler)
  const { transport, close } = await openHttpsTransport({ server: url, token: async () => 'secret' })
  onTestFinished(close)
  return { client: createKubeClient(transport, { fieldManager: 'test' }), seen, url }
}

describe('the client', () => {
  it('asks for the paths of namespaced and cluster-scoped kinds with their queries', async () => {
    const { client, seen } = await clientTo((_, response) => json(response, 200, { items: [], metadata: {} }))
    await client.list(kinds.pods, { namespace: 'dev1', labelSelector: 'a in (b,c)', limit: 5 })
    await client.list(kinds.pods)
    await client.get(kinds.nodes, { name: 'n1' })
    await client.get(kinds.tfJobs, { namespace: 'dev1', name: 'a' }, { subresource: 'status' })
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /api/v1/namespaces/dev1/pods?labelSelector=a%20in%20(b%2Cc)&limit=5',
      'GET /api/v1/pods',
      'GET /api/v1/nodes/n1',
      'GET /apis/kubeflow.org/v1/namespaces/dev1/tfjobs/a/status',
    ])
    expect(seen[0]?.headers.authorization).toBe('Bearer secret')
  })

  it('sends kind, version, manager and media type with writes', async () => {
    const { client, seen } = await clientTo((_, response) => json(response, 200, {}))
    await client.create(kinds.configMaps, { metadata: { name: 'a', namespace: 'n' }, data: { k: 'ü' } })
    await client.patch(
      kinds.configMaps,
      { namespace: 'n', name: 'a' },
      { type: 'merge', patch: { data: {} } },
    )
    await client.patch(
      kinds.configMaps,
      { namespace: 'n', name: 'a' },
      { type: 'apply', object: { data: {} } },
      { force: true, fieldManager: 'other', dryRun: true },
    )
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'n' },
      data: { k: 'ü' },
    })
    expect(seen.map(({ headers }) => headers['content-type'])).toEqual([
      'application/json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ])
    expect(seen[2]?.url).toBe('/api/v1/namespaces/n/configmaps/a?fieldManager=other&dryRun=All&force=true')
  })

  it('throws the very status that the server answered with', async () => {
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'pods "a" not found',
      reason: 'NotFound',
      details: { name: 'a', kind: 'pods' },
      code: 404,
    }
    const { client } = await clientTo((_, response) => json(response, 404, status))
    const error = await client
      .get(kinds.pods, { namespace: 'n', name: 'a' })
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(StatusError)
    expect((error as StatusError).status).toEqual(status)
  })

  it('makes a status of an answer that is none, as proxies give', async () => {
    const { client } = await clientTo((_, response) => {
      response.writeHead(503)
      response.end('<html>upstream is down</html>')
    })
    await expect(client.list(kinds.pods)).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: '<html>upstream is down</html>',
    })
  })

  it('takes an empty answer for an empty object', async () => {
    const { client } = await clientTo((_, response) => {
      response.writeHead(204)
      response.end()
    })
    await expect(client.delete(kinds.pods, { namespace: 'n', name: 'a' })).resolves.toEqual({})
  })

  it('sends delete options only when there are any', async () => {
    const { client, seen } = await clientTo((_, response) => json(response, 200, {}))
    await client.delete(kinds.pods, { namespace: 'n', name: 'a' })
    await client.delete(kinds.pods, { namespace: 'n', name: 'a' }, { gracePeriodSeconds: 0 })
    expect(seen[0]?.body).toBe('')
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
    })
  })

  it('reads a watch line by line however it is cut, and throws its errors', async () => {
    const added = JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'ü' } } })
    const expired = JSON.stringify({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
    })
    const bytes = Buffer.from(`${added}\n${expired}\n`)
    const cut = bytes.indexOf(Buffer.from('ü')) + 1
    const { client } = await clientTo((_, response) => {
      response.write(bytes.subarray(0, cut))
      response.end(bytes.subarray(cut))
    })
    const names: (string | undefined)[] = []
    const reading = (async () => {
      for await (const event of client.watch(kinds.pods)) names.push(event.object.metadata.name)
    })()
    await expect(reading).rejects.toMatchObject({ reason: 'Expired' })
    expect(names).toEqual(['ü'])
  })

  it('ends a request when its signal aborts', async () => {
    const { client } = await clientTo(() => undefined)
    const stop = new AbortController()
    const listing = client.list(kinds.pods, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(listing).rejects.toThrow('enough')
  })

  it('says in words that nothing listens', async () => {
    const { transport, close } = await openHttpsTransport({ server: 'https://127.0.0.1:1' })
    onTestFinished(close)
    const error = await createKubeClient(transport)
      .list(kinds.pods)
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(UserError)
    expect(error).toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      message: 'cannot reach the cluster at https://127.0.0.1:1: nothing listens there',
    })
  })

  it('refuses a server address that is no URL', async () => {
    await expect(openHttpsTransport({ server: 'not a url' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})

describe('lines of a body', () => {
  it('come whole, without empty ones, the last one without its end too', async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const part of ['a', 'b\n\nc', '\n', 'd']) yield Buffer.from(part)
    }
    const lines: string[] = []
    for await (const line of linesOf(body())) lines.push(line)
    expect(lines).toEqual(['ab', 'c', 'd'])
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Cluster, startCluster, usualConfig } from '../../../../src/cluster/index.ts'

let cluster: Cluster
let dataDir: string

async function ask(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; message: unknown }> {
  const response = await cluster.clientAs({ name: 'admin', groups: ['system:masters'] }).raw({
    method,
    path,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  const answer: { message?: unknown } = JSON.parse(Buffer.concat(parts).toString('utf8'))
  return { status: response.status, message: answer.message }
}

const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const pods = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'arena-connect-'))
  cluster = await startCluster({ dataDir, config: { ...usualConfig, nodes: [] }, log: () => undefined })
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CONNECT'],
    resources: ['pods/exec', 'pods/portforward'],
  }
  await ask('POST', policies, {
    metadata: { name: 'streams' },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [
        { expression: "!has(object.command) || object.command[0] != 'sh'", message: 'no shells' },
        { expression: '!has(object.ports) || !(22 in object.ports)', message: 'no remote shells' },
      ],
    },
  })
  await ask('POST', policies.replace('policies', 'policybindings'), {
    metadata: { name: 'streams' },
    spec: { policyName: 'streams', validationActions: ['Deny'] },
  })
  await vi.waitFor(async () =>
    expect((await ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status).toBe(200),
  )
  const spec = {
    containers: [
      { name: 'a', image: 'i' },
      { name: 'b', image: 'i' },
    ],
  }
  for (const name of ['placed', 'waiting'])
    await ask('POST', pods, {
      metadata: { name },
      spec: { ...spec, ...(name === 'placed' && { nodeName: 'n' }) },
    })
}, 60_000)

afterAll(async () => {
  await cluster.close()
  await rm(dataDir, { recursive: true, force: true })
})

test.each([
  ['absent/exec?command=sh', 422, 'no shells'],
  ['placed/exec?command=sh&container=a', 422, 'no shells'],
  ['placed/portforward?ports=80,22', 422, 'no remote shells'],
  ['absent/exec?command=ls', 404, 'pods "absent" not found'],
  ['placed/exec?command=ls', 400, 'a container name must be specified for pod placed, choose one of: [a b]'],
  ['placed/exec?command=ls&container=c', 400, 'container c is not valid for pod placed'],
  ['waiting/attach?container=a', 400, 'pod waiting does not have a host assigned'],
  ['placed/exec?command=ls&container=a', 400, 'Upgrade request required'],
  ['placed/portforward?ports=80', 400, 'Upgrade request required'],
])(
  'a stream that is asked for without an upgrade is admitted, then checked: %s',
  async (path, status, why) => {
    const answer = await ask('POST', `${pods}/${path}`)
    expect(answer).toEqual({ status, message: expect.stringContaining(why) })
  },
)

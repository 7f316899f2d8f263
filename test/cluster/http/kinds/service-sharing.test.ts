import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type ApiOfKinds, messageOf, startApi } from './cluster.ts'

let api: ApiOfKinds
const services = '/api/v1/namespaces/default/services'

beforeAll(async () => {
  api = await startApi()
}, 60_000)
afterAll(() => api.close())

const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
})

/** Asks for the same by as many services in the same instant. */
const together = (stem: string, count: number, spec: object): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) => api.send('POST', services, service(`${stem}${index}`, spec))),
  )

const taken = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status === 201)

test('of services that ask for one address in the same instant, one gets it', async () => {
  const answers = await together('address', 8, { clusterIP: '10.96.7.7' })
  expect(taken(answers)).toHaveLength(1)
  for (const answer of answers.filter(({ status }) => status !== 201))
    expect(messageOf(answer)).toContain('failed to allocate IP 10.96.7.7: provided IP is already allocated')
})

test('of services that ask for one port of the nodes in the same instant, one gets it', async () => {
  const answers = await together('port', 8, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_123 }] })
  expect(taken(answers)).toHaveLength(1)
  for (const answer of answers.filter(({ status }) => status !== 201))
    expect(messageOf(answer)).toContain('nodePort: Invalid value: 30123: provided port is already allocated')
})

test('services that change in the same instant do not take the same port either', async () => {
  await together('change', 4, { type: 'NodePort' })
  const answers = await Promise.all(
    Array.from({ length: 4 }, (_, index) =>
      api.send(
        'PATCH',
        `${services}/change${index}`,
        { spec: { ports: [{ port: 80, nodePort: 30_321 }] } },
        { type: 'application/strategic-merge-patch+json' },
      ),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422])
})

test('hundreds of services that come together all get ports of their own, and what is given up is free again', async () => {
  const answers = await together('many', 300, { type: 'NodePort' })
  expect(taken(answers)).toHaveLength(300)
  const ports = answers.map(
    ({ body }) => (body['spec'] as { ports: { nodePort: number }[] }).ports[0]?.nodePort,
  )
  expect(new Set(ports).size).toBe(300)
  const again = { type: 'NodePort', ports: [{ port: 80, nodePort: ports[0] }] }
  expect((await api.send('POST', services, service('again', again))).status).toBe(422)
  expect((await api.send('DELETE', `${services}/many0`)).status).toBe(200)
  expect((await api.send('POST', services, service('again', again))).status).toBe(201)
})

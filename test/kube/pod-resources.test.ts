import { describe, expect, it } from 'vitest'
import { formatQuantity, podLimits, podRequests, qosClass } from '../../src/kube/index.ts'

type Amounts = ReturnType<typeof podRequests>
const texts = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatQuantity(amount)]))
const asking = (cpu: string, restartPolicy?: string) => ({
  resources: { requests: { cpu }, limits: { cpu } },
  ...(restartPolicy !== undefined && { restartPolicy }),
})

describe('what a pod asks for', () => {
  it('is the sum of its containers', () => {
    const pod = { spec: { containers: [asking('500m'), asking('1')] } }
    expect(texts(podRequests(pod))).toEqual({ cpu: '1500m' })
    expect(texts(podLimits(pod))).toEqual({ cpu: '1500m' })
  })

  it('is as much as the largest init container, for those run alone', () => {
    const pod = { spec: { containers: [asking('1')], initContainers: [asking('3'), asking('2')] } }
    expect(texts(podRequests(pod))).toEqual({ cpu: '3' })
  })

  it('counts sidecars beside the containers and beside later init containers', () => {
    const sidecar = asking('1', 'Always')
    expect(texts(podRequests({ spec: { containers: [asking('1')], initContainers: [sidecar] } }))).toEqual({
      cpu: '2',
    })
    expect(
      texts(podRequests({ spec: { containers: [asking('1')], initContainers: [sidecar, asking('4')] } })),
    ).toEqual({ cpu: '5' })
  })

  it('grows by the overhead, limits only where there are any', () => {
    const spec = {
      containers: [{ resources: { requests: { cpu: '1' } } }],
      overhead: { cpu: '250m', memory: '64Mi' },
    }
    expect(texts(podRequests({ spec }))).toEqual({ cpu: '1250m', memory: '64Mi' })
    expect(texts(podLimits({ spec }))).toEqual({})
  })

  it('is what the pod as a whole asks for, where it says so', () => {
    const spec = { containers: [asking('1')], resources: { requests: { cpu: '4' } } }
    expect(texts(podRequests({ spec }))).toEqual({ cpu: '4' })
  })
})

describe('the class of a pod', () => {
  const full = { cpu: '1', memory: '1Gi' }

  it.each([
    ['nothing', {}, 'BestEffort'],
    ['only a GPU', { limits: { 'nvidia.com/gpu': '1' } }, 'BestEffort'],
    ['only requests', { requests: full }, 'Burstable'],
    ['limits of both', { requests: full, limits: full }, 'Guaranteed'],
    ['a limit of one', { limits: { cpu: '1' }, requests: { cpu: '1' } }, 'Burstable'],
    ['more than it asks for', { limits: full, requests: { cpu: '500m', memory: '1Gi' } }, 'Burstable'],
  ])('with %s', (_title, resources, expected) => {
    expect(qosClass({ spec: { containers: [{ resources }] } })).toBe(expected)
  })
})

import { expect, it } from 'vitest'
import { podRequests } from '../../../src/cluster/scheduler/pod-requests.ts'

const container = (name: string, requests: Record<string, string>, restartPolicy?: string) => ({
  name,
  image: 'i',
  resources: { requests },
  ...(restartPolicy !== undefined && { restartPolicy }),
})

it('adds containers and takes the largest init container when that is more', () => {
  const { requests } = podRequests({
    containers: [
      container('a', { cpu: '500m', memory: '1Gi' }),
      container('b', { cpu: '1', 'nvidia.com/gpu': '2' }),
    ],
    initContainers: [container('i', { cpu: '2', memory: '10Mi' })],
  })
  expect(requests.cpu).toBe(2000)
  expect(requests.memory).toBe(1024 ** 3)
  expect(requests.others.get('nvidia.com/gpu')).toBe(2)
})

it('counts sidecars beside everything that starts after them', () => {
  const { requests } = podRequests({
    containers: [container('main', { cpu: '1' })],
    initContainers: [container('side', { cpu: '1' }, 'Always'), container('init', { cpu: '3' })],
    overhead: { cpu: '100m' },
  })
  expect(requests.cpu).toBe(4100)
})

it('assumes a little for containers that ask for nothing, when nodes are compared', () => {
  const { requests, scoredCpu, scoredMemory } = podRequests({ containers: [container('a', {})] })
  expect([requests.cpu, scoredCpu, scoredMemory]).toEqual([0, 100, 200 * 1024 ** 2])
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { PodAddresses } from '../../../src/cluster/runtime/agent/addresses.ts'
import { expand } from '../../../src/cluster/runtime/agent/container/environment.ts'
import { hostsContent } from '../../../src/cluster/runtime/agent/hosts.ts'
import { discoverMachine, machineCapacity } from '../../../src/cluster/runtime/index.ts'
import { podDirectory, runDirectory, volumeDirectory } from '../../../src/cluster/runtime/pod-directory.ts'
import { LogParser } from '../../../src/cluster/runtime/process/log-records.ts'

describe('the machine', () => {
  test('is asked by the program of the path, and has no GPUs where there is none', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gpu-tool-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    vi.stubEnv('PATH', `${directory}-absent:${directory}`)
    onTestFinished(() => void vi.unstubAllEnvs())
    expect((await discoverMachine()).gpus).toEqual([])
    // The seam of this test: a driver that lists one GPU.
    const program = '#!/bin/sh\necho "0, GPU-1, Tesla V100, 16160"\n'
    await writeFile(join(directory, 'nvidia-smi'), program, { mode: 0o755 })
    expect((await discoverMachine()).gpus).toEqual([
      { index: 0, identifier: 'GPU-1', model: 'Tesla V100', memoryMiB: 16160 },
    ])
  })

  test('has the GPUs that nvidia-smi lists', async () => {
    const machine = await discoverMachine({
      runTool: async () => '0, GPU-aa-bb, NVIDIA A100, 40960\n1, GPU-cc-dd, NVIDIA A100, 40960\n',
    })
    expect(machine.gpus).toEqual([
      { index: 0, identifier: 'GPU-aa-bb', model: 'NVIDIA A100', memoryMiB: 40_960 },
      { index: 1, identifier: 'GPU-cc-dd', model: 'NVIDIA A100', memoryMiB: 40_960 },
    ])
    expect(machineCapacity(machine)['nvidia.com/gpu']).toBe('2')
  })

  test('has none where the tool is missing, fails or talks nonsense', async () => {
    const missing = await discoverMachine({ runTool: async () => Promise.reject(new Error('ENOENT')) })
    const nonsense = await discoverMachine({ runTool: async () => 'No devices were found\n' })
    expect([missing.gpus, nonsense.gpus]).toEqual([[], []])
    expect(machineCapacity(missing)).not.toHaveProperty('nvidia.com/gpu')
  })
})

describe('directories of pods', () => {
  test.each(['..', '.', '', 'a/b', '/etc', '../x', 'a\0b', 'x'.repeat(300)])(
    'are never made of the name %j',
    (name) => {
      expect(() => podDirectory('/data', name)).toThrow('is no name')
      expect(() => volumeDirectory('/data', 'uid', name)).toThrow('is no name')
      expect(() => runDirectory('/data', { podUid: 'uid', container: name, attempt: 0 })).toThrow(
        'is no name',
      )
    },
  )
})

describe('variables', () => {
  test.each([
    ['$(A)', 'one'],
    ['$(A)$(B)', 'onetwo'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$(NONE)', '$(NONE)'],
    ['$A ${A} $', '$A ${A} $'],
    ['$(A', '$(A'],
    ['$(toString)', '$(toString)'],
  ])('in %j become %j', (text, expected) => {
    expect(expand(text, { A: 'one', B: 'two' })).toBe(expected)
  })
})

describe('addresses', () => {
  test('are loopback addresses, each given once until it is given back', () => {
    const addresses = new PodAddresses()
    expect(addresses.adopt('127.64.0.2', 'old')).toBe(true)
    const taken = Array.from({ length: 600 }, (_, index) => addresses.take(`pod-${index}`))
    expect(new Set(taken).size).toBe(600)
    expect(taken).not.toContain('127.64.0.2')
    for (const address of taken) expect(address).toMatch(/^127\.(6[4-9]|[789]\d|1[01]\d|12[0-7])\.\d+\.\d+$/)
    expect(addresses.adopt('127.64.0.2', 'other')).toBe(false)
    addresses.release('127.64.0.2', 'old')
    expect(addresses.adopt('127.64.0.2', 'other')).toBe(true)
  })
})

describe('the name service file', () => {
  const metadata = (name: string) => ({
    name,
    namespace: 'dev1',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '',
  })
  const pod = { metadata: metadata('job-worker-0'), spec: { containers: [] } }
  const service = { metadata: metadata('job-worker-0'), spec: { clusterIP: 'None' } }
  const slice = (ready: boolean) => ({
    metadata: { ...metadata('slice'), labels: { 'kubernetes.io/service-name': 'job-worker-0' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.64.0.5'], conditions: { ready } }],
  })
  const input = { pod, address: '127.64.0.5', apiAddress: '127.0.0.1' }

  test('names services in every form that a job may use', () => {
    const text = hostsContent({ ...input, services: [service], slices: [slice(true)] })
    expect(text).toContain(
      '127.64.0.5 job-worker-0 job-worker-0.dev1 job-worker-0.dev1.svc job-worker-0.dev1.svc.cluster.local\n',
    )
    expect(text).toContain('127.0.0.1 kubernetes.default kubernetes.default.svc')
  })

  test('is in the form that programs know: who keeps it, its own names, and what the pod adds', () => {
    const spec = {
      containers: [],
      hostname: 'node-a',
      subdomain: 'ring',
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['foo', 'bar'] }],
    }
    const text = hostsContent({ ...input, pod: { ...pod, spec }, services: [], slices: [] })
    expect(text.split('\n')[0]).toBe('# Kubernetes-managed hosts file.')
    expect(text).toContain('\n127.64.0.5\tnode-a.ring.dev1.svc.cluster.local\tnode-a\n')
    expect(text).toContain('\n# Entries added by HostAliases.\n10.1.2.3\tfoo\tbar\n')
    const host = { ...pod, spec: { ...spec, hostNetwork: true } }
    const other = hostsContent({ ...input, pod: host, services: [], slices: [] })
    expect(other).not.toContain('# Kubernetes-managed hosts file.')
  })

  test('leaves out pods that are not ready, unless the service says otherwise', () => {
    const hidden = hostsContent({ ...input, services: [service], slices: [slice(false)] })
    expect(hidden).not.toContain('job-worker-0.dev1.svc')
    const shown = hostsContent({
      ...input,
      services: [{ ...service, spec: { clusterIP: 'None', publishNotReadyAddresses: true } }],
      slices: [slice(false)],
    })
    expect(shown).toContain('job-worker-0.dev1.svc')
  })
})

describe('log records', () => {
  test('are read the same however the bytes arrive', () => {
    const line = fc.record({
      stream: fc.constantFrom('stdout', 'stderr'),
      tag: fc.constantFrom('F', 'P'),
      text: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).filter((byte) => byte !== 10)),
    })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), (lines, size) => {
        const bytes = Buffer.concat(
          lines.map(({ stream, tag, text }) =>
            Buffer.concat([
              Buffer.from(`2030-01-01T00:00:00.000000001Z ${stream} ${tag} `),
              text,
              Buffer.from('\n'),
            ]),
          ),
        )
        const parser = new LogParser()
        const records = []
        for (let at = 0; at < bytes.length; at += size)
          records.push(...parser.push(bytes.subarray(at, at + size)))
        expect(
          records.map(({ stream, isPartial, text }) => [stream, isPartial, text.toString('hex')]),
        ).toEqual(
          lines.map(({ stream, tag, text }) => [stream, tag === 'P', Buffer.from(text).toString('hex')]),
        )
      }),
    )
  })

  test('are passed over when they are none', () => {
    expect(new LogParser().push(Buffer.from('torn\n\ngarbage here too\na stdout X b\n'))).toEqual([])
  })
})

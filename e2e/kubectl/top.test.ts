import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OneNode, shellPod, startOneNode } from './one-node.ts'

/** Rows of a table, each as its words. */
function rowsOf(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
}

describe('kubectl top', () => {
  let node: OneNode

  beforeAll(async () => {
    node = await startOneNode()
    await node.must('create namespace other')
    await node.apply(
      shellPod('idle', 'exec sleep 600', {
        containers: ['main', 'side'].map((name) => ({ name, image: 'busybox', command: ['sleep', '600'] })),
      }),
      // Ends by itself, so that a test that breaks off leaves the machine at peace.
      shellPod('busy', 'exec timeout 60 sh -c "while :; do :; done"'),
    )
    await node.must('wait --for=condition=Ready pod/idle pod/busy --timeout=20s')
    await vi.waitFor(async () => expect(rowsOf(await node.must('top pods --no-headers'))).toHaveLength(2), {
      timeout: 15_000,
      interval: 500,
    })
  })

  afterAll(async () => {
    await node.must('delete pods --all --grace-period=0 --force')
    await node.close()
  })

  it('shows what pods use, the busiest first', async () => {
    const [header, ...rows] = rowsOf(await node.must('top pods --sort-by=cpu'))
    expect(header).toEqual(['NAME', 'CPU(cores)', 'MEMORY(bytes)'])
    expect(rows.map(([name]) => name)).toEqual(['busy', 'idle'])
    const [busy, idle] = rows.map(([, cpu = '']) => Number(cpu.replace('m', '')))
    expect(busy).toBeGreaterThan(0)
    expect(idle).toBeLessThan(busy ?? 0)
    expect(rows.every(([, , memory]) => /^\d+Mi$/.test(memory ?? ''))).toBe(true)
  })

  it('shows containers, one pod, all namespaces, and what a selector means', async () => {
    const containers = rowsOf(await node.must('top pod idle --containers --no-headers'))
    expect(containers.map(([pod, name]) => [pod, name])).toEqual([
      ['idle', 'main'],
      ['idle', 'side'],
    ])
    expect(rowsOf(await node.must('top pods -A --no-headers')).map(([namespace]) => namespace)).toEqual([
      'default',
      'default',
    ])
    expect(rowsOf(await node.must('top pods -l app=idle --no-headers')).map(([name]) => name)).toEqual([
      'idle',
    ])
    expect(await node.kubectl('top pod absent')).toMatchObject({ status: 1 })
    expect((await node.kubectl('top pods -n other')).output).toContain(
      'No resources found in other namespace',
    )
  })

  it('shows what the node uses, of what it has', async () => {
    const [header, row = []] = rowsOf(await node.must('top nodes'))
    expect(header).toEqual(['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'])
    expect(row[0]).toBe('node1')
    expect(Number(row[1]?.replace('m', ''))).toBeGreaterThan(0)
    expect(row[2]).toMatch(/^\d+%$/)
    expect(await node.must('get nodes.metrics.k8s.io')).toMatch(/^NAME\s+CPU\s+MEMORY\s+WINDOW\nnode1 /)
  })
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Result, setStage, type Stage } from '../guide/stage.ts'

/** A cluster of one node that really runs pods, and kubectl to type at it. */
export interface OneNode {
  readonly stage: Stage
  /** Words that hold spaces are given apart. */
  kubectl(line: string, ...more: readonly string[]): Promise<Result>
  /** Fails the test when the command does. */
  must(line: string, ...more: readonly string[]): Promise<string>
  /** Puts objects into a file and applies it. */
  apply(...objects: readonly object[]): Promise<string>
  close(): Promise<void>
}

const cluster = {
  runtime: 'process',
  nodes: [{ name: 'node1', capacity: { cpu: 8, memory: '8Gi' } }],
}

/** Starts it; ends all of it with `close`. */
export async function startOneNode(): Promise<OneNode> {
  const stage = await setStage()
  // JSON is YAML.
  await writeFile(join(stage.home('admin'), 'cluster.yaml'), JSON.stringify(cluster))
  const start = 'arena cluster start --config cluster.yaml --detach'
  const started = await stage.run('admin', start.split(' '))
  expect(started.status, started.output).toBe(0)
  let files = 0
  const node: OneNode = {
    stage,
    kubectl: (line, ...more) => stage.run('admin', ['kubectl', ...line.split(' '), ...more]),
    async must(line, ...more) {
      const result = await node.kubectl(line, ...more)
      expect(result.status, `${line}\n${result.output}`).toBe(0)
      return result.stdout
    },
    async apply(...objects) {
      files += 1
      const file = join(stage.home('admin'), `objects${files}.yaml`)
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
      return node.must(`apply -f ${file}`)
    },
    close: () => stage.close(),
  }
  return node
}

/** A pod of one container that runs a shell command. */
export function shellPod(name: string, command: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', command] }],
      ...spec,
    },
  }
}

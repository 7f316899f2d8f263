import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessRuntime } from '../../../src/cluster/runtime/process/process-runtime.ts'

// Runs one shell script as a container and prints how it went: DIRECTORY ISOLATION SCRIPT. A program of its own, so
// that a test can start it as another user.
const [directory = '', isolation = '', script = ''] = process.argv.slice(2)
const base = join(directory, randomUUID())
const dataDirectory = join(base, 'data')
const volume = join(base, 'volume')
mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
mkdirSync(volume)
writeFileSync(join(volume, 'file'), 'content\n')
const keepAlive = setInterval(() => undefined, 1 << 30)
const runtime = new ProcessRuntime({
  dataDirectory,
  ...(isolation === 'none' && { isolation }),
})
const key = { podUid: randomUUID(), container: 'main', attempt: 0 }
const container = await runtime.start({
  key,
  pod: { namespace: 'dev1', name: 'pod', hostname: 'pod', address: '127.64.0.1', annotations: {} },
  image: 'x',
  command: ['sh', '-c', script],
  workingDirectory: undefined,
  environment: {},
  identity: { uid: 20001, gid: 10001, groups: [] },
  mounts: [{ target: '/root/code', source: { kind: 'path', path: volume }, readOnly: false }],
  hostsFile: undefined,
  limits: { memoryBytes: 1 << 28 },
  gpus: [],
  stdin: false,
  tty: false,
  readOnlyRoot: false,
  terminationMessagePath: '/dev/termination-log',
  stopSignal: 'SIGTERM',
})
const exit = await container.exited
let output = ''
for await (const chunk of runtime.logs(key, { container: 'main' })) output += Buffer.from(chunk).toString()
process.stdout.write(
  JSON.stringify({ reasons: container.notices.map(({ reason }) => reason), exitCode: exit.exitCode, output }),
)
runtime.close()
clearInterval(keepAlive)

#!/usr/bin/env node
// An organisation of 1,000 users in 100 groups: apply from empty, plan with nothing to do, and kubectl apply of the same
// objects against the same server. Usage: node benchmarks/org-apply.mjs [--users N] [--groups N] [--rounds N]; needs npm run build and
// kubectl. With KUBECONFIG set by --kubeconfig FILE it runs against that cluster (use an empty one); otherwise against the
// embedded one.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const run = promisify(execFile)
const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    groups: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    kubeconfig: { type: 'string' },
    program: { type: 'string', default: fileURLToPath(new URL('../dist/arena.js', import.meta.url)) },
  },
})
const [users, groups] = [Number(values.users), Number(values.groups)]
const directory = await mkdtemp(join(tmpdir(), 'arena-org-bench-'))

function organisation() {
  const lines = ['organisation: bench', 'users:']
  for (let user = 0; user < users; user += 1) lines.push(`  user${user}: { uid: ${20001 + user} }`)
  lines.push('groups:')
  for (let group = 0; group < groups; group += 1) {
    const members = []
    for (let user = group; user < users; user += groups) members.push(`user${user}: member`)
    lines.push(
      `  group${group}: { gid: ${10001 + group}, quota: { gpu: 4, cpu: 64 }, members: { ${members.join(', ')} } }`,
    )
  }
  lines.push('volumes:')
  for (let group = 0; group < groups; group += 1) {
    const source = `source: { nfs: { server: nas.example, path: /g${group} } }`
    lines.push(`  data${group}: { size: 100Gi, access: { group${group}: write }, ${source} }`)
  }
  return `${lines.join('\n')}\n`
}

async function timed(command, args, environment) {
  const start = performance.now()
  const { stdout } = await run(command, args, { env: environment, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error) => {
      if (error.code === 2) return error
      throw error
    },
  )
  return { seconds: (performance.now() - start) / 1000, stdout }
}

async function withCluster(name, work) {
  const environment = { ...process.env, HOME: directory, NODE_EXTRA_CA_CERTS: undefined }
  if (values.kubeconfig !== undefined) return work({ ...environment, KUBECONFIG: values.kubeconfig })
  const data = join(directory, name)
  await run(process.execPath, [values.program, 'cluster', 'start', '--data-dir', data, '--detach'], {
    env: environment,
  })
  const stop = () =>
    run(process.execPath, [values.program, 'cluster', 'stop', '--data-dir', data], { env: environment })
  // Started on its own, the cluster would outlive an interrupted measurement.
  const interrupted = () => void stop().finally(() => process.exit(130))
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    return await work({ ...environment, KUBECONFIG: join(data, 'admin.kubeconfig') })
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    await stop()
  }
}

const file = join(directory, 'org.yaml')
const manifests = join(directory, 'objects.json')
await writeFile(file, organisation())
const arena = (environment, ...args) =>
  timed(process.execPath, [values.program, ...args, '-f', file], environment)

try {
  const exported = await arena(process.env, 'org', 'export', '--manifests', '-o', 'json')
  await writeFile(manifests, exported.stdout)
  const objects = JSON.parse(exported.stdout).items.length
  const median = (numbers) => numbers.toSorted((x, y) => x - y)[Math.floor(numbers.length / 2)]
  const seconds = { apply: [], plan: [], kubectl: [] }
  // In turns, as the load of a machine that others use changes from one minute to the next.
  for (let round = 0; round < Number(values.rounds); round += 1) {
    await withCluster(`own${round}`, async (environment) => {
      seconds.apply.push((await arena(environment, 'org', 'apply', '--yes')).seconds)
      seconds.plan.push((await arena(environment, 'org', 'plan')).seconds)
    })
    if (values.kubeconfig !== undefined) continue
    await withCluster(`kubectl${round}`, async (environment) => {
      seconds.kubectl.push((await timed('kubectl', ['apply', '-f', manifests], environment)).seconds)
    })
  }
  const result = {
    machine: `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
    users,
    groups,
    objects,
    seconds,
    arenaApplySeconds: median(seconds.apply),
    arenaPlanNothingToDoSeconds: median(seconds.plan),
    ...(seconds.kubectl.length > 0 && {
      kubectlApplySeconds: median(seconds.kubectl),
      timesFaster: median(seconds.kubectl) / median(seconds.apply),
    }),
  }
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
} finally {
  await rm(directory, { recursive: true, force: true })
}

#!/usr/bin/env node
// All benchmarks, one after the other, on one build: `node benchmarks/run.mjs [--quick] [NAME...]`. Each prints a table and
// JSON of its own; each cleans up after itself. See docs/speed.md for what the numbers mean.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { programIn, withDirectory } from './cluster.mjs'

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})

/** Arguments of each; `cli` builds for itself. */
const benchmarks = {
  start: (program) => ['--program', program, ...(values.quick ? ['--quick'] : [])],
  api: (program) => ['--program', program, ...(values.quick ? ['--quick'] : [])],
  scale: (program) => ['--program', program, ...(values.quick ? ['--quick'] : [])],
  cli: () => (values.quick ? ['--rounds', '5'] : []),
  'org-apply': (program) => [
    '--program',
    program,
    ...(values.quick ? ['--users', '100', '--groups', '10'] : []),
  ],
}

const unknown = positionals.filter((name) => !(name in benchmarks))
if (unknown.length > 0) {
  process.stderr.write(
    `no benchmark is called ${unknown.join(', ')}: ${Object.keys(benchmarks).join(', ')}\n`,
  )
  process.exit(2)
}

await withDirectory(async (directory) => {
  const program = await programIn(directory)
  const failed = []
  for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
    const file = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
    process.stdout.write(`\n== ${name}\n`)
    const child = spawn(process.execPath, [file, ...benchmarks[name](program)], { stdio: 'inherit' })
    const [code] = await once(child, 'close')
    if (code !== 0) failed.push(name)
  }
  if (failed.length > 0) {
    process.stderr.write(`ended with a failure or a goal missed: ${failed.join(', ')}\n`)
    process.exitCode = 1
  }
})

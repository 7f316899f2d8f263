import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRoot } from './process-fixture.ts'

const ordinaryUser = 31_337
const here = fileURLToPath(new URL('.', import.meta.url))

interface Outcome {
  readonly reasons: readonly string[]
  readonly exitCode: number
  readonly output: string
}

/** The runtime as the program of an ordinary user, in each way of keeping containers apart. */
describe.runIf(isRoot)('a cluster that does not run as root', () => {
  let directory: string

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arena-user-'))
    await build({
      entryPoints: [join(here, 'one-container.ts')],
      outfile: join(directory, 'one-container.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
    })
    copyFileSync(
      fileURLToPath(new URL('../../../src/cluster/runtime/process/shim.py', import.meta.url)),
      join(directory, 'shim.py'),
    )
    chmodSync(directory, 0o755)
    chownSync(directory, ordinaryUser, ordinaryUser)
  })

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  function run(isolation: string, script: string): Outcome {
    const result = spawnSync(
      process.execPath,
      [join(directory, 'one-container.mjs'), directory, isolation, script],
      {
        uid: ordinaryUser,
        gid: ordinaryUser,
        encoding: 'utf8',
        timeout: 30_000,
      },
    )
    expect(result.stderr).toBe('')
    return JSON.parse(result.stdout) as Outcome
  }

  test('keeps containers apart by user namespaces, and says whose files they write', () => {
    const outcome = run(
      '',
      `id -u; cat code/file; echo x > code/new && ls code; ls ${directory} || echo hidden; ls /proc | grep -c "^[0-9]"`,
    )
    expect(outcome.reasons).toContain('RunsAsClusterUser')
    expect(outcome.output).toMatch(/^20001\ncontent\nfile\nnew\n/)
    expect(outcome.output).toContain('hidden\n')
  })

  test('runs plain processes where nothing else is possible, says so, and still finds volumes', () => {
    const outcome = run('none', 'id -u; cat code/file; python -c "print(1)"; exit 4')
    expect(outcome.reasons).toContain('NotIsolated')
    expect(outcome).toMatchObject({ output: `${ordinaryUser}\ncontent\n1\n`, exitCode: 4 })
  })

  test('leaves no plain process behind', () => {
    const marker = `604.${process.pid}${Math.floor(Math.random() * 1e6)}`
    run('none', `setsid sleep ${marker} & (setsid sleep ${marker} &) ; exit 0`)
    expect(spawnSync('pgrep', ['-f', marker]).status).toBe(1)
  })
})

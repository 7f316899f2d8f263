import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { completionScript } from '../../src/cli/completion-script.ts'
import { commands } from '../../src/cli/commands/table.ts'

const execute = promisify(execFile)

/** What bash offers after these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `${completionScript('bash', commands)}
COMP_WORDS=(arena "$@"); COMP_CWORD=$#; _arena; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await execute('bash', ['-c', script, 'bash', ...words])
  return stdout.split('\n').filter((line) => line !== '')
}

describe('completion in bash', () => {
  it('offers commands, then their parts, then flags', async () => {
    expect(await offered('lis')).toEqual(['list'])
    expect(await offered('submit', '')).toContain('tfjob')
    expect(await offered('top', 'n')).toEqual(['node'])
    expect(await offered('submit', 'tf', '--chief-m')).toEqual(['--chief-memory', '--chief-memory-limit'])
    expect(await offered('logs', 'job', '--fol')).toEqual(['--follow'])
  })

  it('offers no old spellings', async () => {
    expect(await offered('submit', 'tfjob', '--sync')).toEqual([
      '--sync-mode',
      '--sync-source',
      '--sync-image',
    ])
  })
})

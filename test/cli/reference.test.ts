import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { commands } from '../../src/cli/commands/table.ts'
import { commandReference, errorReference } from '../../src/cli/reference.ts'

const page = (name: string): Promise<string> =>
  readFile(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')

const advice = 'run: node scripts/reference.mjs'

describe('the reference', () => {
  it('of commands is that of the table', async () => {
    expect(await page('commands'), advice).toBe(commandReference(commands))
  })

  it('of errors is that of the table', async () => {
    expect(await page('errors'), advice).toBe(errorReference())
  })
})

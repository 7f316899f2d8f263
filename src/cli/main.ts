#!/usr/bin/env node
import { everydayWords } from './everyday-words.ts'

/**
 * Entry of the `arena` command. Everything is imported when it is needed: reading code is most of what a short command
 * does.
 */
const typed = process.argv.slice(2)
const [first, ...others] = typed
if (
  (first === 'version' || first === '--version') &&
  others.every((word) => /^(--short|-v|--verbose)$/.test(word))
) {
  const { versionLines } = await import('./version.ts')
  process.stdout.write(`${versionLines({ isShort: others.includes('--short') }).join('\n')}\n`)
} else if (!(await isDoneByEveryday())) {
  const [{ start }, { commands }] = await Promise.all([import('./start.ts'), import('./commands/table.ts')])
  await start(typed, commands)
}

async function isDoneByEveryday(): Promise<boolean> {
  if (!typed.some((word) => everydayWords.has(word))) return false
  const { startEveryday } = await import('./everyday.ts')
  return startEveryday(typed)
}

#!/usr/bin/env node
import { versionLines } from './version.ts'

/**
 * Entry of the `arena` command. Everything but the version is imported when it is needed: reading code is most of
 * what a short command does.
 */
const typed = process.argv.slice(2)
const [first, ...others] = typed
if (
  (first === 'version' || first === '--version') &&
  others.every((word) => /^(--short|-v|--verbose)$/.test(word))
) {
  process.stdout.write(`${versionLines({ isShort: others.includes('--short') }).join('\n')}\n`)
} else {
  const { start } = await import('./start.ts')
  await start(typed)
}

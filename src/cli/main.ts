#!/usr/bin/env node
import { everydayWords } from './programs/everyday-words.ts'

/**
 * Entry of the `arena` command. The commands are in programs of their own, and only the one that is needed is loaded:
 * reading code is most of what a short command does.
 */
async function main(typed: readonly string[]): Promise<void> {
  const [first, ...others] = typed
  if (
    (first === 'version' || first === '--version') &&
    others.every((word) => /^(--short|-v|--verbose)$/.test(word))
  ) {
    const { versionLines } = await import('./version.ts')
    process.stdout.write(`${versionLines({ isShort: others.includes('--short') }).join('\n')}\n`)
    return
  }
  if (typed.some((word) => everydayWords.has(word))) {
    const everyday = await import('./programs/everyday.ts')
    if (await everyday.run(typed)) return
  }
  if (typed.includes('cluster')) {
    const cluster = await import('./programs/cluster.ts')
    if (await cluster.run(typed)) return
  }
  const all = await import('./programs/all.ts')
  await all.run(typed)
}

void main(process.argv.slice(2))

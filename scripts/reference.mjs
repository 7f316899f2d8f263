#!/usr/bin/env node
// Writes docs/commands.md and docs/errors.md from the tables of commands and errors: `node scripts/reference.mjs`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
// Inside the checkout, where the packages that stay outside of the bundle are found.
const outdir = await mkdtemp(join(root, 'node_modules', '.reference-'))
try {
  await build({
    absWorkingDir: root,
    stdin: {
      contents:
        "export { commands } from './src/cli/commands/table.ts'; export * from './src/cli/reference.ts'",
      resolveDir: root,
    },
    outfile: join(outdir, 'reference.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    // What commands import when they run is not needed to describe them.
    plugins: [
      {
        name: 'without-dynamic-imports',
        setup: (plugin) =>
          plugin.onResolve({ filter: /.*/ }, ({ kind }) =>
            kind === 'dynamic-import' ? { path: 'node:fs', external: true } : undefined,
          ),
      },
    ],
    logLevel: 'warning',
  })
  const { commands, commandReference, errorReference } = await import(
    pathToFileURL(join(outdir, 'reference.mjs')).href
  )
  await writeFile(join(root, 'docs', 'commands.md'), commandReference(commands))
  await writeFile(join(root, 'docs', 'errors.md'), errorReference())
} finally {
  await rm(outdir, { recursive: true, force: true })
}

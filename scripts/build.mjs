#!/usr/bin/env node
// Bundles the command line and the demo: `node scripts/build.mjs [OUTDIR]`, by default into dist/. Native packages stay
// outside of the bundle. A build that fails leaves the last good one in place.
import { chmod, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const outdir = resolve(root, process.argv[2] ?? 'dist')
const fresh = `${outdir}.${process.pid}`

try {
  await build({
    absWorkingDir: root,
    entryPoints: { arena: 'src/cli/main.ts' },
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    external: ['lmdb'],
    banner: {
      // Bundled CommonJS packages call require for Node's own modules.
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  await chmod(`${fresh}/arena.js`, 0o755)
  await rm(outdir, { recursive: true, force: true })
  await rename(fresh, outdir)
} catch (error) {
  await rm(fresh, { recursive: true, force: true })
  throw error
}

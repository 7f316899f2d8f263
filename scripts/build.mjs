#!/usr/bin/env node
// Bundles the command line and the demo: `node scripts/build.mjs [OUTDIR]`, by default into dist/. Native packages stay
// outside of the bundle. A build that fails leaves the last good one in place.
import { execFile } from 'node:child_process'
import { chmod, copyFile, readFile, rename, rm, symlink } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const outdir = resolve(root, process.argv[2] ?? 'dist')
const fresh = `${outdir}.${process.pid}`

/** What git says, or nothing outside of a checkout. */
async function git(...words) {
  try {
    const { stdout } = await promisify(execFile)('git', words, { cwd: root })
    return stdout.trim()
  } catch {
    return ''
  }
}

const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'))
const [commit, date, changes] = await Promise.all([
  git('rev-parse', 'HEAD'),
  git('log', '-1', '--format=%cI'),
  git('status', '--porcelain', '--untracked-files=no'),
])
const treeState = commit === '' ? '' : changes === '' ? 'clean' : 'dirty'

const usual = {
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  sourcesContent: false,
  // Read by `arena version`, which must not have to look for files.
  define: { ARENA_BUILD: JSON.stringify(JSON.stringify({ version, commit, treeState, date })) },
  logLevel: 'warning',
}

try {
  await Promise.all([
    build({
      ...usual,
      entryPoints: { arena: 'src/cli/main.ts', demo: 'e2e/guide/demo.ts' },
      splitting: true,
      external: ['lmdb'],
      plugins: [
        {
          name: 'everyday-apart',
          setup: (plugin) =>
            plugin.onResolve({ filter: /\/everyday\.ts$/ }, ({ kind }) =>
              kind === 'dynamic-import' ? { path: './everyday.js', external: true } : undefined,
            ),
        },
      ],
      banner: {
        // Bundled CommonJS packages call require for Node's own modules.
        js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
      },
    }),
    // In one piece: finding and linking a dozen files takes longer than what these commands do. Nothing of the other
    // files is loaded beside it, so that it does not matter that both have classes of the same names.
    build({ ...usual, entryPoints: { everyday: 'src/cli/everyday.ts' }, external: ['js-yaml'] }),
  ])
  // Runs beside each container, by an interpreter of its own: it has to be a file.
  await copyFile(`${root}src/cluster/runtime/process/shim.py`, `${fresh}/shim.py`)
  await chmod(`${fresh}/arena.js`, 0o755)
  await rm(outdir, { recursive: true, force: true })
  await rename(fresh, outdir)
  if (outdir === `${root}dist`) await offerCommand()
} catch (error) {
  await rm(fresh, { recursive: true, force: true })
  throw error
}

/** In a checkout `npx arena` finds the built command among those of the installed packages. */
async function offerCommand() {
  const link = `${root}node_modules/.bin/arena`
  await rm(link, { force: true })
  await symlink('../../dist/arena.js', link)
}

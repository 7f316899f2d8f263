#!/usr/bin/env node
// Bundles the command line and the demo: `node scripts/build.mjs [OUTDIR]`, by default into dist/. Native packages stay
// outside of the bundle. A build that fails leaves the last good one in place.
import { execFile } from 'node:child_process'
import { chmod, copyFile, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { recordCode } from './record-code.mjs'

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
  // Only a script, not a module, can be kept compiled in Node 20.
  format: 'cjs',
  // Such a script cannot import: what is not in it is required.
  supported: { 'dynamic-import': false },
  platform: 'node',
  target: 'node20',
  external: ['lmdb'],
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'external',
  define: {
    // Read by `arena version`, which must not have to look for files.
    ARENA_BUILD: JSON.stringify(JSON.stringify({ version, commit, treeState, date })),
    'import.meta.url': '__url',
  },
  logLevel: 'warning',
}
const url = "const __url=require('node:url').pathToFileURL(__filename).href;"

/** Files of their own, by the source that is imported: each is loaded only when it is needed. */
const programs = files('src/cli/programs', ['everyday', 'cluster', 'all'])
/** Large, seldom wanted, and without classes that would be another's in another file. */
const parts = new Map([
  ...files('src/cluster/registry/schema/generated', ['descriptions']),
  ...files('src/cluster/registry/resources/certificates', ['pkcs10']),
])
/** The cluster's code, for the program with all commands; only `arena cluster` runs it. */
const library = new Map([[`${root}src/cluster/index.ts`, 'cluster']])

function files(folder, names) {
  return new Map(names.map((name) => [`${root}${folder}/${name}.ts`, name]))
}

/** Turns a dynamic import of one of these sources into loading its file. */
function loadedApart(sources) {
  return {
    name: 'loaded-apart',
    setup(plugin) {
      plugin.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, kind }) => {
        const name = sources.get(resolve(resolveDir, path))
        return kind === 'dynamic-import' && name ? { path: name, namespace: 'loaded' } : undefined
      })
      plugin.onLoad({ filter: /.*/, namespace: 'loaded' }, ({ path }) => ({
        resolveDir: root,
        contents: `const{loadProgram}=require('./src/cli/programs/load.ts');module.exports=loadProgram(__dirname+'/${path}.js')`,
      }))
    },
  }
}

try {
  await Promise.all([
    build({
      ...usual,
      entryPoints: { arena: 'src/cli/main.ts', demo: 'e2e/guide/demo.ts' },
      plugins: [loadedApart(programs)],
      banner: { js: url },
    }),
    ...[...programs, ...parts].map(([source, name]) =>
      build({
        ...usual,
        entryPoints: { [name]: source },
        plugins: [loadedApart(name === 'cluster' ? parts : library)],
        // What loadProgram takes: an expression, the function that CommonJS would make of it.
        banner: { js: `(function(exports,require,module,__filename,__dirname){${url}` },
        footer: { js: '})' },
      }),
    ),
  ])
  await writeFile(`${fresh}/package.json`, '{ "type": "commonjs" }\n')
  // Runs beside each container, by an interpreter of its own: it has to be a file.
  await copyFile(`${root}src/cluster/runtime/process/shim.py`, `${fresh}/shim.py`)
  await chmod(`${fresh}/arena.js`, 0o755)
  await recordCode(fresh)
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

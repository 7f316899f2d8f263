import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

/** With all it needs but the native store in its own directory, for accounts that may not read the tree. */
export const selfContained: BuildOptions = {
  external: ['lmdb'],
  banner: {
    js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);",
  },
}

/** Bundles the command line as `main.mjs` in a directory; its packages are taken from this tree unless said otherwise. */
export async function bundleProgram(
  directory: string,
  options: BuildOptions = { packages: 'external' },
): Promise<void> {
  await build({
    entryPoints: ['src/cli/main.ts'],
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    ...options,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
  })
}

/** Bundles the command line and puts an `arena` for the PATH beside it. */
export async function installProgram(directory: string, options?: BuildOptions): Promise<void> {
  await bundleProgram(directory, options)
  const script = join(directory, 'arena')
  await writeFile(script, `#!/bin/sh\nexec ${process.execPath} ${directory}/main.mjs "$@"\n`)
  await chmod(script, 0o755)
}

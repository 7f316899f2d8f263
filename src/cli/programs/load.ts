import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

/**
 * Runs a bundled program and returns what it exports. The build calls this in place of an `import`.
 *
 * Beside the file, as `FILE.code`, may be what V8 made of it in an earlier run; reading that takes a fraction of the time
 * of compiling the functions anew. V8 itself refuses what another V8, or one with other flags, has made; then, and without
 * such a file, the program is compiled as usual.
 *
 * @param file ASCII text of one function of the names that CommonJS gives to a module.
 */
export function loadProgram(file: string): unknown {
  const cachedData = readIfThere(`${file}.code`)
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(cachedData && { cachedData }),
  })
  const module: { exports: unknown } = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
  return module.exports
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

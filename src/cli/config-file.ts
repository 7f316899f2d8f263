import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../files.ts'
import { UserError } from '../errors.ts'

/**
 * The lines `key=value` of the arena config file: `$ARENA_CONFIG` when that file is there, else `~/.arena/config`.
 * No file is an empty one.
 *
 * @throws {UserError} `CONFIG_INVALID` when the file is there and cannot be read.
 */
export async function readConfigFile(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  const candidates = [environment['ARENA_CONFIG'], join(environment['HOME'] ?? '/', '.arena', 'config')]
  for (const file of candidates) {
    if (file === undefined || file === '') continue
    const text = await readIfThere(file)
    if (text !== undefined) return parseConfig(text)
  }
  return {}
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw new UserError('CONFIG_INVALID', `the arena config file "${file}" cannot be read`, {
      hint: 'make it readable, or name another: export ARENA_CONFIG=FILE',
      cause: error,
    })
  }
}

function parseConfig(text: string): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf('=')
    if (line.trimStart().startsWith('#') || equals < 0) continue
    settings[line.slice(0, equals).trim()] = line.slice(equals + 1).trim()
  }
  return settings
}

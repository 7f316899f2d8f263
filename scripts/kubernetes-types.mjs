/**
 * Reads the declaration files of the `kubernetes-types` package, which are so regular that a few patterns do: only
 * interfaces and aliases, one field a line (maps take three), every doc comment right before what it documents.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const root = dirname(createRequire(import.meta.url).resolve('kubernetes-types/package.json'))

/** `{ name: { description, fields: { name: { type, optional, description } } } | { alias } }` of a module such as `core/v1`. */
export function readModule(module) {
  const file = join(root, `${module}.d.ts`)
  const types = {}
  const imports = {}
  // Of an API that the package leaves out everything is told elsewhere.
  if (!existsSync(file)) return { types, imports }
  const text = readFileSync(file, 'utf8')
  let description = ''
  let open
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]
    const imported = /^import \{ (.*) \} from "(.*)";$/.exec(line)
    if (imported) {
      const from = join(dirname(module), imported[2])
      for (const name of imported[1].split(', ')) imports[name] = from
      continue
    }
    if (/^\s*\/\*\*/.test(line)) {
      const comment = [line]
      while (!lines[at].includes('*/')) comment.push(lines[++at])
      description = plain(comment.join('\n'))
      continue
    }
    const started = /^export interface (\w+) \{/.exec(line)
    if (started) {
      open = { description, fields: {} }
      types[started[1]] = open
      description = ''
      continue
    }
    const alias = /^export type (\w+) = (.*);$/.exec(line)
    if (alias) {
      types[alias[1]] = { description, alias: alias[2] }
      description = ''
      continue
    }
    const field = /^ {4}(?:readonly )?"?([\w$-]+)"?(\??): (.*)$/.exec(line)
    if (field && open) {
      let type = field[3]
      if (type === '{') {
        type = `Map<${/\[name: string\]: (.*);/.exec(lines[++at])[1]}>`
        at++
      } else type = type.replace(/;$/, '')
      open.fields[field[1]] = { type, optional: field[2] === '?', description }
      description = ''
    }
    if (line === '}') open = undefined
  }
  return { types, imports }
}

function plain(comment) {
  return comment
    .replace(/^\s*\/\*\*\s?/, '')
    .replace(/\s*\*\/\s*$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
}

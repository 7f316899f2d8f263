import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What this build is. `commit` and `date` are empty when it was not made from a git checkout. */
export interface BuildInfo {
  readonly version: string
  readonly commit: string
  readonly treeState: string
  readonly date: string
}

// Put in by the build; absent when the sources run as they are.
declare const ARENA_BUILD: BuildInfo | undefined

/** The build that is running. */
export function buildInfo(): BuildInfo {
  if (typeof ARENA_BUILD !== 'undefined') return ARENA_BUILD
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory)
  }
  const manifest: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? String(manifest.version)
      : '0.0.0'
  return { version, commit: '', treeState: '', date: '' }
}

/** The lines of `arena version`. */
export function versionLines(options: { isShort: boolean }): string[] {
  const build = buildInfo()
  const commit = build.commit === '' ? '' : `+${build.commit.slice(0, 7)}`
  const first = `arena: v${build.version}${commit}${build.treeState === 'dirty' ? '.dirty' : ''}`
  if (options.isShort) return [first]
  return [
    first,
    ...(build.date === '' ? [] : [`  BuildDate: ${build.date}`]),
    ...(build.commit === '' ? [] : [`  GitCommit: ${build.commit}`, `  GitTreeState: ${build.treeState}`]),
    `  NodeVersion: ${process.version}`,
    `  Platform: ${process.platform}/${process.arch}`,
  ]
}

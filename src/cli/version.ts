/** What this build is. `commit` and `date` are empty when it was not made from a git checkout. */
export interface BuildInfo {
  readonly version: string
  readonly commit: string
  readonly treeState: string
  readonly date: string
}

// JSON, put in by the build; absent when the sources run as they are.
declare const ARENA_BUILD: string | undefined

/** The build that is running. */
const build: BuildInfo =
  typeof ARENA_BUILD === 'undefined'
    ? { version: '0.0.0-unbuilt', commit: '', treeState: '', date: '' }
    : (JSON.parse(ARENA_BUILD) as BuildInfo)

/** The lines of `arena version`. */
export function versionLines(options: { isShort: boolean }): string[] {
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

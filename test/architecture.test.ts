import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** Folders under `src/` by level: imports go down a level or more, never sideways, never up. */
const levels: Readonly<Record<string, number>> = {
  cli: 4,
  tenancy: 3,
  cluster: 3,
  jobs: 2,
  credentials: 2,
  host: 2,
  operator: 2,
  kube: 1,
}

/** The house inside `cluster/`: which other folders of it each may import. */
const insideCluster: Readonly<Record<string, readonly string[]>> = {
  http: ['auth', 'admission', 'registry', 'runtime', 'storage'],
  auth: ['registry', 'cel'],
  admission: ['registry', 'cel'],
  registry: ['storage', 'cel'],
  cel: [],
  controllers: [],
  scheduler: [],
  runtime: [],
  storage: [],
}

interface Import {
  readonly file: string
  readonly target: string
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => join(source, file))

const imports: readonly Import[] = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map(([, path = '']) => ({
    file: relative(source, file),
    target: relative(source, resolve(dirname(file), path)),
  })),
)

const folderOf = (path: string): string => (path.includes('/') ? (path.split('/')[0] ?? '') : '')
const clusterFolderOf = (path: string): string =>
  path.split('/').length > 2 ? (path.split('/')[1] ?? '') : ''

describe('the house', () => {
  it('has only folders with a place in it', () => {
    expect(
      [...new Set(files.map((file) => folderOf(relative(source, file))))].filter(Boolean).sort(),
    ).toEqual(Object.keys(levels).sort())
  })

  it('lets imports go down, never sideways and never up', () => {
    const wrong = imports.filter(({ file, target }) => {
      const [from, to] = [folderOf(file), folderOf(target)]
      return from !== to && to !== '' && (levels[from] ?? 0) <= (levels[to] ?? 0)
    })
    expect(wrong).toEqual([])
  })

  it('lets outsiders in by the front door alone', () => {
    const wrong = imports.filter(({ file, target }) => {
      const to = folderOf(target)
      return to !== '' && to !== folderOf(file) && target !== `${to}/index.ts`
    })
    expect(wrong).toEqual([])
  })

  it('keeps the order of storeys inside the cluster', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (folderOf(file) !== 'cluster' || folderOf(target) !== 'cluster') return false
      const [from, to] = [clusterFolderOf(file), clusterFolderOf(target)]
      // The files beside the folders wire them together and may see all of them.
      return from !== '' && to !== from && !(to !== '' && insideCluster[from]?.includes(to))
    })
    expect(wrong).toEqual([])
  })

  it('lets one storey of the cluster into another by a front door alone', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (folderOf(file) !== 'cluster' || folderOf(target) !== 'cluster') return false
      const [from, to] = [clusterFolderOf(file), clusterFolderOf(target)]
      return from !== '' && to !== from && !target.endsWith('/index.ts')
    })
    expect(wrong).toEqual([])
  })

  it('gives every folder a front door', () => {
    const doors = Object.keys(levels).filter(
      (folder) => folder !== 'cli' && !files.includes(join(source, folder, 'index.ts')),
    )
    expect(doors).toEqual([])
  })
})

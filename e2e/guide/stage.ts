import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type GitServer, serveAsRepository } from './git-server.ts'

/** The repository's own root, from `e2e/guide/` as from the bundle in `dist/`. */
export const repositoryRoot = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../' : '../../', import.meta.url),
)

export interface Result {
  readonly status: number
  /** Standard output and error in the order of arrival. */
  readonly output: string
  readonly stdout: string
}

/** Who types a command: their kubeconfig and home decide what they may. */
export type Person = 'admin' | 'bob' | 'tom'

/** A cluster with the guide's hosts, a git server with its sample code, and a place for everybody's files. */
export interface Stage {
  readonly directory: string
  readonly dataDir: string
  readonly git: GitServer
  home(person: Person): string
  environment(person: Person): Record<string, string>
  /** Runs a program as a person; `onOutput` sees what it prints as it comes. */
  run(person: Person, words: readonly string[], options?: RunOptions): Promise<Result>
  /** Stops what was started. With `keepCluster` the cluster and all files stay. */
  close(options?: { readonly keepCluster: boolean }): Promise<void>
}

export interface RunOptions {
  onOutput?(text: string): void
  readonly signal?: AbortSignal
  readonly cwd?: string
}

/** Sets the stage; the cluster is not started yet. */
export async function setStage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'arena-guide-'))
  const dataDir = join(directory, 'cluster')
  const bin = join(directory, 'bin')
  const homes: Record<Person, string> = {
    admin: join(directory, 'root'),
    bob: join(directory, 'home/bob'),
    tom: join(directory, 'home/tom'),
  }
  await Promise.all([bin, ...Object.values(homes)].map((path) => mkdir(path, { recursive: true })))
  await symlink(join(repositoryRoot, 'dist/arena.js'), join(bin, 'arena'))
  await copyFile(join(repositoryRoot, 'examples/guide/cluster.yaml'), join(homes.admin, 'cluster.yaml'))
  const git = await serveAsRepository({
    source: join(repositoryRoot, 'examples/tensorflow-sample-code'),
    name: 'tensorflow-sample-code',
    workDirectory: join(directory, 'git'),
  })
  const environment = (person: Person): Record<string, string> => ({
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: homes[person],
    USER: person === 'admin' ? 'root' : person,
    ARENA_DATA_DIR: dataDir,
    LANG: 'C.UTF-8',
    ...(person === 'admin' && { KUBECONFIG: join(dataDir, 'admin.kubeconfig') }),
  })
  const stage: Stage = {
    directory,
    dataDir,
    git,
    home: (person) => homes[person],
    environment,
    run: (person, words, options = {}) =>
      execute(words, { ...options, cwd: options.cwd ?? homes[person], env: environment(person) }),
    async close({ keepCluster } = { keepCluster: false }) {
      await git.close()
      if (keepCluster) return
      // With the jobs that still run.
      await stage.run('admin', ['arena', 'cluster', 'reset', '--yes'])
      await rm(directory, { recursive: true, force: true })
    },
  }
  return stage
}

async function execute(
  words: readonly string[],
  options: RunOptions & { readonly env: Record<string, string> },
): Promise<Result> {
  const [program = '', ...parameters] = words
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal && { signal: options.signal }),
    })
    let output = ''
    let stdout = ''
    const take = (piece: Buffer): void => {
      const text = piece.toString('utf8')
      output += text
      options.onOutput?.(text)
    }
    child.stdout.on('data', (piece: Buffer) => {
      stdout += piece.toString('utf8')
      take(piece)
    })
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', (code) => resolve({ status: code ?? 1, output, stdout }))
  })
}

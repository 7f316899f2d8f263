import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

export interface RunOptions {
  /** Written to standard input: the only way for secrets, as arguments are visible to everybody. */
  readonly input?: string
  /** Run as another user; the caller must be root. */
  readonly as?: { readonly uid: number; readonly gid: number }
  /** Entered before the user changes, so that directories above it may be closed to that user. Default `/`. */
  readonly directory?: string
  readonly signal?: AbortSignal
}

export interface RunResult {
  readonly status: number
  readonly output: string
  readonly errors: string
}

/** Runs a program with an argument array, never through a shell. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>

/** Where programs are looked for. */
export const programPath = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const

/**
 * The {@link Run} of this machine. Fixed environment, so that messages and paths do not depend on the caller's. A program
 * that cannot be started ends with 127 or 126, as in a shell.
 */
export const runProgram: Run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: programPath.join(':'), LC_ALL: 'C' },
      cwd: options.directory ?? '/',
      // Away from the terminal: Ctrl-C must not stop a program that is half through the files of accounts.
      detached: true,
      ...(options.as && { uid: options.as.uid, gid: options.as.gid }),
      ...(options.signal && { signal: options.signal }),
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    // A program that does not read its input closes it; its status tells what happened.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error)
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (options.signal?.aborted === true) return reject(error)
      if (error.code === 'ENOENT')
        return resolve({ status: 127, output: '', errors: notThere(command, options) })
      if (error.code === 'EACCES')
        return resolve({ status: 126, output: '', errors: `${command} may not be run` })
      reject(error)
    })
    child.on('close', (status) => resolve({ status: status ?? 1, output, errors }))
    child.stdin.end(options.input ?? '')
  })

/** Node gives one error for both: the program, and the directory to start it in. */
function notThere(command: string, { directory = '/' }: RunOptions): string {
  return existsSync(directory) ? `${command} is not installed` : `directory ${directory} is not there`
}

import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { everydayCommands } from '../../src/cli/commands/everyday.ts'
import { commands } from '../../src/cli/commands/table.ts'
import { everydayWords } from '../../src/cli/programs/everyday-words.ts'
import { errorCodes, exitStatuses, UserError } from '../../src/errors.ts'
import { forbidden, notFound } from '../../src/kube/index.ts'
import { run } from './world.ts'

function command(path: string, body: Command['run'], extra: Partial<Command> = {}): Command {
  return { path, summary: `does ${path}`, group: 'jobs', run: body, ...extra }
}

describe('running a command line', () => {
  it('finds commands by path and alias, with flags before, between and after', async () => {
    const table = [
      command(
        'submit tfjob',
        async (input, context) => context.print(`${input.text('namespace')} ${input.arguments.join('|')}`),
        { aliases: ['tf'], arguments: [{ name: 'C', meaning: '', variadic: true }] },
      ),
      command('submit mpijob', async () => undefined),
    ]
    for (const typed of [
      ['-n', 'a', 'submit', 'tf', 'x', 'y z'],
      ['submit', '--namespace=a', 'tfjob', 'x', 'y z'],
      ['submit', 'tf', 'x', '-na', 'y z'],
    ]) {
      expect(await run(typed, table)).toEqual({ status: 0, out: 'a x|y z\n', err: '' })
    }
  })

  it('ends with the status that the command returns', async () => {
    expect((await run(['a'], [command('a', async () => 7)])).status).toBe(7)
  })

  it.each([
    [
      new UserError('NEVER_FITS', 'too large', { hint: 'ask for less' }),
      1,
      'error: too large\nhint: ask for less\n',
    ],
    [new UserError('CLUSTER_UNREACHABLE', 'gone'), 5, 'error: gone\n'],
    [notFound({ kind: 'pods', name: 'a' }), 3, 'error: pods "a" not found\n'],
    [
      forbidden({ kind: 'pods' }, 'no'),
      4,
      'error: pods is forbidden: no\nhint: arena whoami shows who you are and where you may work\n',
    ],
    [
      forbidden(
        { kind: 'pods' },
        'User "bob" cannot list resource "pods" in API group "" at the cluster scope',
      ),
      4,
      'error: pods is forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope\n' +
        "hint: only admins may look at all groups: name one with -n GROUP, or use an admin's kubeconfig\n",
    ],
  ])('prints message and hint of %s, and no stack', async (error, status, err) => {
    const table = [command('a', async () => Promise.reject(error))]
    expect(await run(['a'], table)).toEqual({ status, out: '', err })
  })

  it('shows the stack of a fault of its own', async () => {
    const result = await run(['a'], [command('a', async () => Promise.reject(new TypeError('oops')))])
    expect(result.status).toBe(1)
    expect(result.err).toContain('TypeError: oops\n    at ')
  })

  it('ends quietly with 130 when it is interrupted', async () => {
    const stop = new AbortController()
    const table = [
      command('a', async (_, context) => {
        stop.abort(new Error('Ctrl-C'))
        context.signal.throwIfAborted()
      }),
    ]
    expect(await run(['a'], table, { signal: stop.signal })).toEqual({ status: 130, out: '', err: '' })
  })

  it('suggests the command that was meant', async () => {
    expect(await run(['lsit'], commands)).toEqual({
      status: 1,
      out: '',
      err: 'error: "lsit" is no command of arena\nhint: did you mean: arena list\n',
    })
    expect((await run(['submit', 'tff'], commands)).err).toContain('did you mean: arena submit tf')
  })

  it('keeps the status of pending changes for that answer alone', () => {
    const statuses = Object.values(errorCodes).map(({ exit }) => exit)
    expect(statuses).not.toContain(2)
    expect(Object.keys(exitStatuses).map(Number)).toEqual(expect.arrayContaining([2, ...statuses]))
  })

  it('says which argument or flag is missing', async () => {
    expect((await run(['get'], commands)).err).toContain('JOB is missing')
    expect((await run(['submit', 'tf', 'true'], commands)).err).toContain('flag --name is required')
    expect((await run(['whoami', 'x'], commands)).err).toContain('"x" is one argument too many')
  })

  it('shows help for the program, a group and every command', async () => {
    for (const typed of [[], ['--help'], ['help'], ['submit'], ['top', '-h']]) {
      expect((await run(typed, commands)).out).toContain('Usage:\n  arena ')
    }
    for (const { path, summary } of commands) {
      const { status, out } = await run([...path.split(' '), '--help'], commands)
      expect({ path, status }).toEqual({ path, status: 0 })
      expect(out).toContain(summary)
      expect(out.split('\n').filter((line) => line.startsWith('  ') && line.length > 120)).toEqual([])
    }
  })

  it('hides old spellings in help, and names the new one when they are used', async () => {
    const help = (await run(['submit', 'tf', '--help'], commands)).out
    expect(help).not.toContain('--ChiefCpu')
    expect(help).toContain('--chief-cpu')
    const table = [
      command('a', async () => undefined, {
        flags: [
          { name: 'new', type: 'string', meaning: '' },
          { name: 'Old', type: 'string', deprecatedFor: 'new', meaning: '' },
        ],
      }),
    ]
    expect((await run(['a', '--Old=1'], table)).err).toBe('note: --Old is the old spelling of --new\n')
  })

  it('knows every spelling of an everyday command by one of its words', () => {
    for (const { path, aliases = [] } of everydayCommands) {
      const parents = path.split(' ').slice(0, -1)
      for (const words of [path.split(' '), ...aliases.map((alias) => [...parents, alias])]) {
        expect(words.some((word) => everydayWords.has(word))).toBe(true)
      }
    }
  })

  it('gives each command a path, aliases and flags of its own', () => {
    const spellings = commands.flatMap(({ path, aliases = [] }) => [
      path,
      ...aliases.map((alias) => [...path.split(' ').slice(0, -1), alias].join(' ')),
    ])
    expect(new Set(spellings).size).toBe(spellings.length)
    for (const { path, flags = [] } of commands) {
      const names = flags.map(({ name }) => name)
      const letters = flags.flatMap(({ short }) => short ?? [])
      expect({ path, twice: names.filter((name, index) => names.indexOf(name) !== index) }).toEqual({
        path,
        twice: [],
      })
      expect(new Set(letters).size).toBe(letters.length)
      for (const flag of flags) if (flag.deprecatedFor) expect(names).toContain(flag.deprecatedFor)
    }
  })
})

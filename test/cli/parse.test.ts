import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { parseInput } from '../../src/cli/parse.ts'

const command: Command = {
  path: 'submit tfjob',
  summary: '',
  group: 'jobs',
  arguments: [{ name: 'COMMAND', meaning: 'what runs', variadic: true, optional: true }],
  flags: [
    { name: 'gpus', type: 'integer', default: 0, meaning: '' },
    { name: 'env', short: 'e', type: 'strings', meaning: '' },
    { name: 'gang', short: 'g', type: 'boolean', default: false, meaning: '' },
    { name: 'follow', short: 'f', type: 'boolean', default: false, meaning: '' },
    { name: 'chief-cpu', type: 'string', meaning: '' },
    { name: 'ChiefCpu', type: 'string', deprecatedFor: 'chief-cpu', meaning: '' },
    { name: 'policy', type: 'string', default: 'a', choices: ['a', 'b'], meaning: '' },
  ],
  run: async () => undefined,
}

describe('the command line', () => {
  it.each([
    [['--gpus=2'], 2],
    [['--gpus', '2'], 2],
    [['--gpus', '1', '--gpus=3'], 3],
    [[], 0],
  ])('reads whole numbers from %j', (typed, gpus) => {
    expect(parseInput(command, typed).integer('gpus')).toBe(gpus)
  })

  it.each([
    [['-n', 'dev1'], 'dev1'],
    [['-ndev1'], 'dev1'],
    [['-n=dev1'], 'dev1'],
    [['--namespace', 'dev1'], 'dev1'],
    [['-fgn', 'dev1'], 'dev1'],
    [['-fgndev1'], 'dev1'],
    [['words', '--namespace=dev1'], 'dev1'],
  ])('reads the namespace from %j', (typed, namespace) => {
    expect(parseInput(command, typed).text('namespace')).toBe(namespace)
  })

  it.each([
    [['--gang'], true],
    [['--gang=true'], true],
    [['--gang=false'], false],
    [['--gang=T'], true],
    [['-g=0'], false],
    [['-gf'], true],
    [[], false],
  ])('reads truth from %j', (typed, isGang) => {
    expect(parseInput(command, typed).flag('gang')).toBe(isGang)
  })

  it('keeps every value of a repeated flag, commas and all', () => {
    const input = parseInput(command, ['-e', 'A=1,2', '--env=B=x=y', '-eC='])
    expect(input.texts('env')).toEqual(['A=1,2', 'B=x=y', 'C='])
  })

  it('takes what follows -- as it is', () => {
    const input = parseInput(command, ['python', '--gang', '--', '--gpus=2', '-x', '--'])
    expect(input.arguments).toEqual(['python', '--gpus=2', '-x', '--'])
    expect(input.flag('gang')).toBe(true)
  })

  it('does not take a value that begins with a dash for a flag', () => {
    expect(parseInput(command, ['--chief-cpu', '-1']).text('chief-cpu')).toBe('-1')
  })

  it('tells given flags from defaults, and old spellings from new ones', () => {
    const input = parseInput(command, ['--ChiefCpu=2'])
    expect(input.text('chief-cpu')).toBe('2')
    expect(input.isGiven('chief-cpu')).toBe(true)
    expect(input.isGiven('policy')).toBe(false)
    expect(input.text('policy')).toBe('a')
    expect(input.deprecated).toEqual([{ used: '--ChiefCpu', instead: '--chief-cpu' }])
  })

  it.each([
    [['--gpus=two'], 'flag --gpus has the value "two", which is no whole number'],
    [['--gpus=1.5'], 'flag --gpus has the value "1.5", which is no whole number'],
    [['--gpus'], 'flag --gpus needs a value'],
    [['--gang=maybe'], 'flag --gang has the value "maybe", which is neither true nor false'],
    [['--policy=c'], 'flag --policy has the value "c"'],
    [['--gpu=1'], 'unknown flag --gpu for arena submit tfjob'],
    [['-x'], 'unknown flag -x for arena submit tfjob'],
  ])('refuses %j', (typed, message) => {
    expect(() => parseInput(command, typed)).toThrow(message)
  })

  it('suggests the flag that was meant, and quotes for a command with flags of its own', () => {
    const hintOf = (typed: string[]): unknown => {
      try {
        return parseInput(command, typed)
      } catch (error) {
        return (error as { hint?: string }).hint
      }
    }
    expect(hintOf(['--gpu=1'])).toBe('did you mean: --gpus')
    expect(hintOf(['python', 'main.py', '--max_steps', '10'])).toBe(
      'if it belongs to the command of the job, put that command in quotes, or write -- before it',
    )
  })
})

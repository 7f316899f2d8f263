import type { Writable } from 'node:stream'
import pc from 'picocolors'
import type { Person } from './stage.ts'

/** What the demo shows: headings, commands as typed, and their real output. */
export interface Screen {
  heading(text: string): void
  say(text: string): void
  prompt(person: Person, words: readonly string[]): void
  output(text: string): void
  goal(isProved: boolean, text: string, proof: string): void
}

export function createScreen(out: Writable): Screen {
  const line = (text = ''): void => {
    out.write(`${text}\n`)
  }
  let endsLine = true
  const freshLine = (): void => {
    if (!endsLine) line()
    endsLine = true
  }
  return {
    heading(text) {
      freshLine()
      line()
      line(pc.bold(pc.cyan(`── ${text} ${'─'.repeat(Math.max(0, 74 - text.length))}`)))
    },
    say(text) {
      freshLine()
      line(pc.dim(text))
    },
    prompt(person, words) {
      freshLine()
      const user = person === 'admin' ? pc.red('root@client01#') : pc.green(`${person}@client01$`)
      line(`${user} ${pc.bold(asTyped(words))}`)
    },
    output(text) {
      out.write(text)
      endsLine = text === '' ? endsLine : text.endsWith('\n')
    },
    goal(isProved, text, proof) {
      line(`${isProved ? pc.green('✓') : pc.red('✗')} ${text}`)
      line(pc.dim(`    ${proof}`))
    },
  }
}

/** A command as a person would type it: quoted where a shell needs it, long ones over several lines. */
function asTyped(words: readonly string[]): string {
  const quoted = words.map((word) =>
    /^[\w@%+=:,./~-]+$/.test(word) ? word : `"${word.replaceAll(/(["\\$`])/g, '\\$1')}"`,
  )
  if (quoted.join(' ').length <= 100) return quoted.join(' ')
  const flag = quoted.findIndex((word) => word.startsWith('--'))
  if (flag < 0) return quoted.join(' ')
  return [quoted.slice(0, flag).join(' '), ...quoted.slice(flag)].join(' \\\n        ')
}

import { isTerminal } from './flags.ts'
import type { CommandContext } from '../command.ts'

/** Writes to the terminal a second: more than the eye can follow, and few enough to cost nothing. */
const writesPerSecond = 10
/** So many lines are written one by one as they come: that costs nothing yet. */
const firstLines = 100
const barWidth = 30

/** What becomes of many changes, told while they are made. */
export interface LiveOutcomes {
  /** A line of its own, above the bar. */
  tell(line: string): void
  /** How many changes are behind. */
  advance(done: number): void
  /** Tells what is left to tell and takes the bar away. */
  end(): void
}

/**
 * Lines on standard output and, where somebody watches, a bar below them. Of many lines those that come within a tenth of a
 * second are written together: a write for each would take as long as the change that it tells of.
 */
export function liveOutcomes(context: CommandContext, total: number): LiveOutcomes {
  const hasBar = isTerminal(context.stderr) && total >= 5
  let lines: string[] = []
  let told = 0
  let done = 0
  let timer: NodeJS.Timeout | undefined

  function write(end: 'bar' | 'no bar'): void {
    clearTimeout(timer)
    timer = undefined
    if (hasBar) context.stderr.write('\r\u001b[K')
    if (lines.length > 0) context.print(lines.join('\n'))
    lines = []
    if (hasBar && end === 'bar') context.stderr.write(barOf(done, total))
  }
  function soon(): void {
    timer ??= setTimeout(() => write('bar'), 1000 / writesPerSecond)
  }
  return {
    tell(line) {
      lines.push(line)
      told += 1
      if (told <= firstLines) write('bar')
      else soon()
    },
    advance(count) {
      done = count
      if (hasBar) soon()
    },
    end: () => write('no bar'),
  }
}

function barOf(done: number, total: number): string {
  const filled = Math.round((done / total) * barWidth)
  return `\r[${'='.repeat(filled)}${' '.repeat(barWidth - filled)}] ${done}/${total}`
}

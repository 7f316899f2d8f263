import { RE2JS } from 're2js'
import type { Budget } from './budget.ts'
import { CelEvaluationError } from './errors.ts'

// Patterns are few and used again and again; a policy that builds them from objects must not fill the memory.
const mostPatterns = 256
const longestPattern = 4096
const compiled = new Map<string, RE2JS>()

/** RE2's linear-time regular expressions. @throws {CelEvaluationError} for a pattern that is none. */
export function pattern(source: string, budget: Budget): RE2JS {
  const known = compiled.get(source)
  if (known !== undefined) return known
  if (source.length > longestPattern) throw new CelEvaluationError('regular expression is too long')
  budget.spend(1 + source.length)
  let made: RE2JS
  try {
    made = RE2JS.compile(source)
  } catch (cause) {
    throw new CelEvaluationError(
      `error parsing regexp: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
  if (compiled.size >= mostPatterns) compiled.clear()
  compiled.set(source, made)
  return made
}

/** What is wrong with a pattern; undefined when nothing is. */
export function checkPattern(source: string): string | undefined {
  try {
    RE2JS.compile(source)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Work of matching, as Kubernetes estimates it: grows with the text and with the pattern. */
export function spendOnMatch(text: string, source: string, budget: Budget): void {
  budget.spend(1 + (text.length / 10) * Math.max(1, source.length / 4))
}

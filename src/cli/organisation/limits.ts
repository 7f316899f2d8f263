import { UserError } from '../../errors.ts'

/** Reads `gpu=2` and the like. */
export function limitsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=')
      if (equals > 0 && equals < text.length - 1) return [text.slice(0, equals), text.slice(equals + 1)]
      throw new UserError('USAGE', `limit "${text}" does not have the form KEY=AMOUNT`, {
        hint: 'as in: gpu=2',
      })
    }),
  )
}

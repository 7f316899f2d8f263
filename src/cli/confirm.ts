import { UserError } from '../errors.ts'
import type { CommandContext } from './command.ts'

/**
 * Asks before something is done that cannot be undone.
 *
 * @throws {UserError} `USAGE` when nobody is there to answer, `INTERRUPTED` when the answer is no.
 */
export async function confirm(question: string, context: CommandContext): Promise<void> {
  if (!isTerminal(context.stdin) || !isTerminal(context.stderr))
    throw new UserError('USAGE', `this needs an answer, and there is no terminal to ask at: ${question}`, {
      hint: 'add --yes to do it without asking',
    })
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({ message: question, initialValue: false, output: context.stderr })
  if (answer !== true) throw new UserError('INTERRUPTED', 'nothing was changed')
}

function isTerminal(stream: object): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}

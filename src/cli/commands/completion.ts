import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'

export const completion: Command = {
  path: 'completion',
  summary: 'Print the shell completion script.',
  description: `
Load it in the running shell:
  source <(arena completion bash)
or for every shell, as root:
  arena completion bash > /etc/bash_completion.d/arena`,
  group: 'other',
  arguments: [{ name: 'SHELL', meaning: 'bash, zsh or fish' }],
  async run(input, context) {
    const [shell = ''] = input.arguments
    const [{ completionScript }, { commands }] = await Promise.all([
      import('../completion-script.ts'),
      import('./table.ts'),
    ])
    const script = completionScript(shell, commands)
    if (script === undefined) {
      throw new UserError('USAGE', `shell "${shell}" has no completion script`, {
        hint: 'use one of: bash, zsh, fish',
      })
    }
    context.print(script)
  },
}

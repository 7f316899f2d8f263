import { homedir } from 'node:os'
import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'

export const credential: Command = {
  path: 'credential',
  summary: 'Hand a fresh token to kubectl; run by it, as the kubeconfig says.',
  description: `
The credential plugin of kubeconfigs made with "arena user kubeconfig". Renews the token in time, with no right beyond
making tokens for one's own account.`,
  group: 'other',
  async run(_input, context) {
    const request = context.environment['KUBERNETES_EXEC_INFO']
    if (request === undefined || request === '') {
      throw new UserError('USAGE', 'arena credential is run by kubectl and other clients, not by hand', {
        hint: 'to see who you are: arena whoami',
      })
    }
    const { currentToken, pluginAnswer, readPluginRequest } = await import('../../credentials/index.ts')
    const parsed = readPluginRequest(request)
    const held = await currentToken(parsed.source, {
      home: context.environment['HOME'] ?? homedir(),
      now: () => context.now(),
      signal: context.signal,
    })
    context.print(pluginAnswer(parsed, held))
  },
}

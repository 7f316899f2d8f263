import type { Command } from '../command.ts'
import { formatFields } from '../output.ts'

export const login: Command = {
  path: 'login',
  summary: 'Sign in with the kubeconfig as it is, and show who the cluster takes you for.',
  description: `
Runs the kubeconfig's own sign-in (OpenID Connect plugins open their browser page, tokens are renewed) by asking the
cluster who you are. Arena keeps no credentials of its own.`,
  group: 'other',
  async run(_input, context) {
    const { kinds } = await import('../../kube/index.ts')
    const { client, namespace, server, contextName } = await context.connect()
    const { status } = await client.create(kinds.selfSubjectReviews, {}, { signal: context.signal })
    const user = status?.userInfo
    context.print(
      formatFields([
        ['User', user?.username ?? ''],
        ['Groups', (user?.groups ?? []).join(', ')],
        ['Namespace', namespace],
        ['Context', contextName],
        ['Server', server],
      ]),
    )
  },
}

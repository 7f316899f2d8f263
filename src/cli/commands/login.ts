import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { formatData, formatFields, outputFlag, outputFormat } from '../output.ts'

export const login: Command = {
  path: 'login',
  summary: 'Sign in with the kubeconfig as it is, and show who the cluster takes you for.',
  description: `
Asks the cluster who you are, for which the kubeconfig's own sign-in is run: an exec plugin such as kubelogin opens its
page in the browser, renews its tokens and keeps them; the id-token of kubectl's auth-provider "oidc" is used until it
expires, and kubectl renews it. Kubeconfigs of "arena user kubeconfig" need no sign-in: their tokens renew themselves.
Arena has no sign-in of its own, keeps no password, and does not change the kubeconfig.

Examples:
  arena login
  arena login --context production
  arena login -o json`,
  group: 'other',
  flags: [outputFlag],
  async run(input, context) {
    const format = outputFormat(input)
    const { isStatus, kinds } = await import('../../kube/index.ts')
    const { client, namespace, server, contextName } = await context.connect()
    const asked = await client
      .create(kinds.selfSubjectReviews, {}, { signal: context.signal })
      .catch((error: unknown) => {
        if (isStatus(error, 'Forbidden')) return undefined
        if (!isStatus(error, 'Unauthorized')) throw error
        throw new UserError('UNAUTHENTICATED', `the cluster at ${server} does not accept the credentials`, {
          hint: 'they may have expired or been withdrawn; those of an OpenID Connect provider must have the issuer and the client id that the API server trusts',
          cause: error,
        })
      })
    const user = asked?.status?.userInfo
    if (asked === undefined || user?.username === 'system:anonymous') {
      throw new UserError('UNAUTHENTICATED', `context "${contextName}" carries no credentials`, {
        hint: 'name another one with --context or --config, or ask your admin for a kubeconfig',
      })
    }
    const groups = user?.groups ?? []
    if (format === 'json' || format === 'yaml') {
      const record = { user: user?.username ?? '', groups, namespace, context: contextName, server }
      return context.print(await formatData(record, format))
    }
    if (format === 'name') return context.print(user?.username ?? '')
    context.print(
      formatFields([
        ['User', user?.username ?? ''],
        ['Groups', groups.join(', ')],
        ['Namespace', namespace],
        ['Context', contextName],
        ['Server', server],
      ]),
    )
  },
}

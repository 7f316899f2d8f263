import { resolve } from 'node:path'
import { cannotWrite, writePrivateFile } from '../../files.ts'
import { UserError } from '../../errors.ts'
import type { Command } from '../command.ts'

export const userKubeconfig: Command = {
  path: 'user kubeconfig',
  summary: 'Write the kubeconfig of a user.',
  description: `
Its tokens are short-lived and renewed by arena, for kubectl too. Who stays away for longer than --lifetime needs a new
one. Written for the owner alone (mode 0600) to NAME.config, or with --install to the home of the account on this
machine. With --static it holds a token that never expires: whoever copies it can use it until the account is removed.

Examples:
  arena user kubeconfig bob
  arena user kubeconfig bob -n dev1 -o bob.config
  arena user kubeconfig bob --install`,
  group: 'organisation',
  arguments: [{ name: 'NAME', meaning: 'The user.' }],
  flags: [
    { name: 'output', short: 'o', type: 'string', value: 'FILE', meaning: 'File to write; - prints it.' },
    { name: 'install', type: 'boolean', meaning: 'Write to ~NAME/.kube/config on this machine; as root.' },
    { name: 'static', type: 'boolean', meaning: 'A token that never expires.' },
    {
      name: 'lifetime',
      type: 'string',
      default: '720h',
      value: 'DURATION',
      meaning: 'Longest absence before a new one is needed.',
    },
  ],
  async run(input, context) {
    const [user = ''] = input.arguments
    const isStatic = input.flag('static')
    const clash = [
      ['static', 'lifetime', 'a token that never expires has no lifetime'],
      ['install', 'output', 'it is written to the home of the account, or to a file'],
    ].find(([one = '', other = '']) => input.isGiven(one) && input.isGiven(other))
    if (clash !== undefined) {
      const [one, other, why] = clash
      throw new UserError('USAGE', `--${one} and --${other} do not go together: ${why}`, {
        hint: 'leave one of them out',
      })
    }
    const lifetimeSeconds = await lifetime(input.text('lifetime') ?? '720h')
    const [
      { asAdmin },
      { clusterAddress, findUserAccount, makeKubeconfig },
      { findAccount, installKubeconfig, runProgram },
    ] = await Promise.all([
      import('../organisation/as-admin.ts'),
      import('../organisation/kubeconfig.ts'),
      import('../../host/index.ts'),
    ])
    const group = input.isGiven('namespace') ? input.text('namespace') : undefined
    const target = input.flag('install') ? await findAccount(runProgram, user) : undefined
    if (input.flag('install') && target === undefined) {
      throw new UserError('NOT_FOUND', `user "${user}" has no account on this machine`, {
        hint: 'make it with: arena host apply',
      })
    }
    const { client } = await context.connect()
    const account = await asAdmin('make kubeconfigs of others', findUserAccount(client, user, group))
    const cluster = await clusterAddress(input, context)
    const text = await asAdmin(
      'make kubeconfigs of others',
      makeKubeconfig(
        client,
        { account, namespace: group ?? account.namespace, cluster, isStatic, lifetimeSeconds },
        context,
      ),
    )
    if (isStatic) {
      context.note(
        `warning: the token of ${user} never expires; whoever copies it can use it. To withdraw it: kubectl delete secret ${user}-token -n ${account.namespace}`,
      )
    }
    if (target !== undefined) {
      context.print(`kubeconfig of ${user} written to ${await installKubeconfig(runProgram, target, text)}`)
    } else if (input.text('output') === '-') {
      context.stdout.write(text)
    } else {
      const name = input.text('output') ?? `${user}.config`
      await writePrivateFile(resolve(context.workingDirectory, name), text).catch((cause: unknown) => {
        throw cannotWrite(`file "${name}"`, cause)
      })
      context.print(`kubeconfig of ${user} written to ${name}`)
    }
  },
}

async function lifetime(text: string): Promise<number> {
  const { parseDurationMs } = await import('../../kube/index.ts')
  const milliseconds = parseDurationMs(text)
  // Kubernetes makes no tokens for less than ten minutes.
  if (milliseconds !== undefined && milliseconds >= 600_000) return Math.round(milliseconds / 1000)
  throw new UserError('USAGE', `lifetime "${text}" is no duration of at least ten minutes`, {
    hint: 'write, for example: --lifetime 720h',
  })
}

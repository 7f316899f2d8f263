import { UserError } from '../../errors.ts'
import { exampleOrg } from '../../tenancy/index.ts'
import type { CommandContext } from '../command.ts'
import { promptStreams } from './flags.ts'

/** Asks for the first group and user, and makes an organisation file of the answers. */
export async function askOrg(
  context: CommandContext,
  { organisation = 'department1' }: { organisation?: string },
): Promise<string> {
  const { isCancel, text } = await import('@clack/prompts')
  const ask = async (message: string, initialValue: string, pattern: RegExp): Promise<string> => {
    const answer = await text({
      message,
      initialValue,
      ...promptStreams(context),
      validate: (value) => (pattern.test(value ?? '') ? undefined : `write something like: ${initialValue}`),
    })
    if (isCancel(answer)) throw new UserError('INTERRUPTED', 'nothing was written')
    return answer
  }
  const accountName = /^[a-z](?:[-a-z0-9]{0,30}[a-z0-9])?$/
  const number = /^\d+$/
  return exampleOrg({
    organisation: await ask(
      'Name of the organisation',
      organisation,
      /^[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?$/,
    ),
    group: await ask('First group', 'dev1', accountName),
    gid: Number(await ask('Its Linux group id', '10001', number)),
    gpus: Number(await ask('GPUs that the group may use at a time', '1', number)),
    user: await ask('First user', 'bob', accountName),
    uid: Number(await ask('Their Linux user id', '20001', number)),
  })
}

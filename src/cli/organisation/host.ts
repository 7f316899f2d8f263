import { realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { credentialSource, pluginExtension } from '../../credentials/index.ts'
import type { Program, WantedHost } from '../../host/index.ts'
import { hasExpired, type Org } from '../../tenancy/index.ts'

/** What an organisation asks of a client host. */
export function wantedHost(
  org: Org,
  options: { now: Date; firstPasswords: 'one-time' | 'none'; program: Program | undefined },
): WantedHost {
  return {
    organisation: org.name,
    groups: org.groups.map(({ name, gid }) => ({ name, gid })),
    users: org.users.map((user) => ({
      name: user.name,
      uid: user.uid,
      fullName: user.fullName ?? '',
      shell: user.shell,
      groups: org.groups
        .filter((group) =>
          group.members.some((member) => member.user === user.name && !hasExpired(member.until, options.now)),
        )
        .map((group) => group.name),
      sshKeys: user.sshKeys,
      ...(user.passwordHash !== undefined && { passwordHash: user.passwordHash }),
    })),
    firstPasswords: options.firstPasswords,
    ...(options.program && { program: options.program }),
  }
}

/** The built program that runs now; nothing when it runs from its sources. */
export async function ownProgram(): Promise<Program | undefined> {
  const started = process.argv[1]
  if (started === undefined) return undefined
  const path = await realpath(started)
  if (basename(path) !== 'arena.js') return undefined
  const [{ completionScript }, { commands }] = await Promise.all([
    import('../completion-script.ts'),
    import('../commands/table.ts'),
  ])
  return { directory: dirname(path), completion: completionScript('bash', commands) ?? '' }
}

/** Does a kubeconfig serve this user at this server? One with a token that never expires counts too. */
export function servesUser(text: string, user: { name: string; home: string; server: string }): boolean {
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return mentions(text, user.server)
    throw error
  }
  const cluster = field(first(field(config, 'clusters')), 'cluster')
  if (field(cluster, 'server') !== user.server) return false
  const extensions = field(cluster, 'extensions')
  const extension = Array.isArray(extensions)
    ? extensions.find((each) => field(each, 'name') === pluginExtension)
    : undefined
  if (extension === undefined) return true
  const { account } = credentialSource({ server: user.server, config: field(extension, 'extension') })
  return account.name === user.name && account.namespace === user.home
}

/** Files that were not made by arena are left alone when they are for the same server. */
function mentions(text: string, server: string): boolean {
  return text.includes(server)
}

function first(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

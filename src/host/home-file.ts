import { UserError } from '../errors.ts'
import type { HostAccount } from './account.ts'
import type { Run } from './run.ts'

// Arguments: directory, file name, mode. Runs as the owner of the home: links that the owner made lead root nowhere.
const script = `set -eu
umask 077
mkdir -p -- "$1"
temporary=$(mktemp -- "$1/.arena-XXXXXX")
trap 'rm -f -- "$temporary"' EXIT
cat > "$temporary"
chmod "$3" -- "$temporary"
mv -f -- "$temporary" "$1/$2"
trap - EXIT`

/**
 * Writes a file into a home directory as its owner, at once and for the owner alone. The text goes through standard
 * input, so that it shows nowhere.
 *
 * @throws {UserError} `FILE_UNREADABLE`
 */
export async function writeIntoHome(
  run: Run,
  account: Pick<HostAccount, 'name' | 'uid' | 'gid' | 'home'>,
  file: { directory: string; name: string; text: string; mode?: string },
): Promise<void> {
  const directory = `${account.home}/${file.directory}`
  const isSelf = process.getuid?.() === account.uid
  const { status, errors } = await run(
    'sh',
    ['-c', script, 'sh', file.directory, file.name, file.mode ?? '600'],
    {
      input: file.text,
      directory: account.home,
      ...(!isSelf && { as: { uid: account.uid, gid: account.gid } }),
    },
  )
  if (status === 0) return
  throw new UserError(
    'FILE_UNREADABLE',
    `file "${directory}/${file.name}" cannot be written as ${account.name}`,
    {
      hint: errors.trim() || 'run this as root, and check who owns the directory',
    },
  )
}

/** Puts a kubeconfig where kubectl and arena look for it. Returns its path. */
export async function installKubeconfig(
  run: Run,
  account: Pick<HostAccount, 'name' | 'uid' | 'gid' | 'home'>,
  text: string,
): Promise<string> {
  await writeIntoHome(run, account, { directory: '.kube', name: 'config', text })
  return `${account.home}/.kube/config`
}

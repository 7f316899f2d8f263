import type { ContainerSpec } from '../runtime.ts'

/**
 * Programs that stand in for images which jobs name without a command. There is no image here to take a program from;
 * these few are known well enough to do their work with what the machine has.
 */
export function standInCommand(spec: ContainerSpec): readonly string[] | undefined {
  const name = spec.image.split('/').at(-1)?.split(/[:@]/)[0] ?? ''
  if (name.includes('git-sync')) return ['/bin/sh', '-c', gitSync, 'git-sync']
  return undefined
}

/**
 * What `git-sync` does, once: https://github.com/kubernetes/git-sync/tree/release-3.x. All values come from the
 * environment, so nothing that a user writes is ever read as shell text, and no password is in the process list.
 */
const gitSync = `
set -eu
if ! command -v git >/dev/null; then
  echo "git-sync: git is not installed on this machine" >&2
  exit 127
fi
repository=\${GIT_SYNC_REPO:?the environment variable GIT_SYNC_REPO names the repository}
root=\${GIT_SYNC_ROOT:-/tmp/git}
name=\${repository%/}
name=\${name##*/}
destination=$root/\${GIT_SYNC_DEST:-\${name%.git}}
revision=\${GIT_SYNC_REV:-HEAD}
case $revision in -*) echo "git-sync: GIT_SYNC_REV must not begin with a dash" >&2; exit 2;; esac
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
if [ -n "\${GIT_SYNC_USERNAME:-}\${GIT_SYNC_PASSWORD:-}" ]; then
  printf '%s\\n' '#!/bin/sh' 'case $1 in User*) printf %s "$GIT_SYNC_USERNAME";; *) printf %s "$GIT_SYNC_PASSWORD";; esac' >/tmp/git-ask
  chmod 700 /tmp/git-ask
  export GIT_ASKPASS=/tmp/git-ask GIT_SYNC_USERNAME="\${GIT_SYNC_USERNAME:-}" GIT_SYNC_PASSWORD="\${GIT_SYNC_PASSWORD:-}"
fi
set --
if [ -n "\${GIT_SYNC_BRANCH:-}" ]; then set -- "--branch=$GIT_SYNC_BRANCH"; fi
if [ "\${GIT_SYNC_DEPTH:-0}" -gt 0 ] && [ "$revision" = HEAD ]; then set -- "$@" "--depth=$GIT_SYNC_DEPTH"; fi
if [ "\${GIT_SYNC_SUBMODULES:-recursive}" != off ]; then set -- "$@" --recurse-submodules; fi
fetch() {
  rm -rf -- "$destination.new"
  git clone --quiet "$@" -- "$repository" "$destination.new"
  if [ "$revision" != HEAD ]; then
    git -C "$destination.new" checkout --quiet --detach "$revision" --
  fi
  rm -rf -- "$destination"
  mv -- "$destination.new" "$destination"
  echo "git-sync: $destination is at $(git -C "$destination" rev-parse HEAD)"
}
echo "git-sync: cloning into $destination"
mkdir -p -- "$root"
fetch "$@"
if [ "\${GIT_SYNC_ONE_TIME:-false}" = true ]; then exit 0; fi
while :; do
  sleep "\${GIT_SYNC_WAIT:-60}"
  fetch "$@" || echo "git-sync: will try again" >&2
done
`

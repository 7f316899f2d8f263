import type { Container, EnvVar } from '../../kube/index.ts'
import type { CodeSync } from '../submit/spec.ts'

const defaultImages: Readonly<Record<CodeSync['mode'], string>> = {
  git: 'alpine/git:2.47.2',
  rsync: 'instrumentisto/rsync-ssh:alpine',
}

// The variables are those of git-sync, which the original tool runs: users set them with --env. Values come in by
// environment and are quoted, so that none of them can be read as code or as an option.
const gitScript = `set -eu
export GIT_TERMINAL_PROMPT=0
target="$GIT_SYNC_ROOT/$GIT_SYNC_DEST"
rm -rf "$target"
set --
if [ -n "\${GIT_SYNC_USERNAME:-}" ]; then
  set -- -c credential.helper='!f() { printf "username=%s\\npassword=%s\\n" "$GIT_SYNC_USERNAME" "\${GIT_SYNC_PASSWORD:-}"; }; f'
fi
set -- "$@" clone
if [ -n "\${GIT_SYNC_BRANCH:-}" ]; then set -- "$@" --branch "$GIT_SYNC_BRANCH"; fi
if [ "\${GIT_SYNC_DEPTH:-0}" -gt 0 ]; then set -- "$@" --depth "$GIT_SYNC_DEPTH"; fi
git "$@" -- "$GIT_SYNC_REPO" "$target"
if [ -n "\${GIT_SYNC_REV:-}" ] && [ "$GIT_SYNC_REV" != HEAD ]; then
  git -C "$target" checkout --detach "$GIT_SYNC_REV" --
fi
git -C "$target" log -1 --format='code: %h %s'`

const rsyncScript = 'set -eu\nexec rsync -avP -- "$RSYNC_SOURCE" /code'

/** The init container that fetches the code into the volume at `/code`. */
export function initCodeContainer(
  sync: CodeSync,
  options: { environment: readonly EnvVar[]; imagePullPolicy: string; resources: Container['resources'] },
): Container {
  const given = new Set(options.environment.map(({ name }) => name))
  const own: EnvVar[] =
    sync.mode === 'git'
      ? [
          { name: 'GIT_SYNC_REPO', value: sync.source },
          { name: 'GIT_SYNC_DEST', value: repositoryName(sync.source) },
          { name: 'GIT_SYNC_ROOT', value: '/code' },
          { name: 'GIT_SYNC_ONE_TIME', value: 'true' },
        ]
      : [{ name: 'RSYNC_SOURCE', value: sync.source }]
  return {
    name: 'init-code',
    image: sync.image ?? defaultImages[sync.mode],
    imagePullPolicy: options.imagePullPolicy,
    command: ['sh', '-c', sync.mode === 'git' ? gitScript : rsyncScript],
    env: [...own.filter(({ name }) => !given.has(name)), ...options.environment],
    ...(options.resources && { resources: options.resources }),
    volumeMounts: [{ name: 'code-sync', mountPath: '/code' }],
  }
}

/** `sample-code` for `https://host/group/sample-code.git`. */
function repositoryName(source: string): string {
  const last =
    source
      .replace(/[?#].*$/, '')
      .replace(/\/+$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  const name = last.replace(/\.git$/, '')
  // Nothing that leads out of the volume.
  return name === '' || name === '.' || name === '..' ? 'code' : name
}

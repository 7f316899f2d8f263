import type { WantedUser } from './wanted.ts'

/** One thing to be done on the host. */
export type HostChange =
  | { readonly kind: 'create-group'; readonly name: string; readonly gid: number }
  | { readonly kind: 'create-account'; readonly user: WantedUser; readonly ownGroup: 'new' | 'existing' }
  /** `groups` is the whole list of supplementary groups, those of others included. */
  | {
      readonly kind: 'set-groups'
      readonly name: string
      readonly groups: readonly string[]
      readonly why: string
    }
  | { readonly kind: 'set-shell'; readonly name: string; readonly shell: string }
  | { readonly kind: 'set-full-name'; readonly name: string; readonly fullName: string }
  | { readonly kind: 'unlock'; readonly name: string }
  | { readonly kind: 'lock'; readonly name: string }
  | { readonly kind: 'set-password-hash'; readonly name: string; readonly hash: string }
  | { readonly kind: 'set-one-time-password'; readonly name: string }
  | { readonly kind: 'close-home'; readonly name: string; readonly home: string }
  | { readonly kind: 'set-ssh-keys'; readonly name: string; readonly keys: readonly string[] }
  | { readonly kind: 'install-kubeconfig'; readonly name: string }
  | { readonly kind: 'install-program' }

/** A change in words; never a secret. */
export function describeHostChange(change: HostChange): string {
  switch (change.kind) {
    case 'create-group':
      return `group ${change.name} is made, with id ${change.gid}`
    case 'create-account':
      return `account ${change.user.name} is made, with id ${change.user.uid}, in ${change.user.groups.join(', ')}`
    case 'set-groups':
      return `account ${change.name} ${change.why}`
    case 'set-shell':
      return `account ${change.name} gets the shell ${change.shell}`
    case 'set-full-name':
      return `account ${change.name} gets the full name "${change.fullName}"`
    case 'unlock':
      return `account ${change.name} is opened again`
    case 'lock':
      return `account ${change.name} is locked and expires; its home stays`
    case 'set-password-hash':
      return `account ${change.name} gets the password of the file`
    case 'set-one-time-password':
      return `account ${change.name} gets a password for the first login, to be changed then`
    case 'close-home':
      return `home ${change.home} is closed to others`
    case 'set-ssh-keys':
      return `account ${change.name} gets ${change.keys.length === 1 ? '1 SSH key' : `${change.keys.length} SSH keys`}`
    case 'install-kubeconfig':
      return `account ${change.name} gets a kubeconfig`
    case 'install-program':
      return 'arena is put on the PATH of everybody, with completion'
  }
}

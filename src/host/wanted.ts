/** What the client host should have. */
export interface WantedHost {
  readonly organisation: string
  readonly groups: readonly { readonly name: string; readonly gid: number }[]
  readonly users: readonly WantedUser[]
  /** How new accounts without a hash get in: a password that is shown once, or by SSH key alone. */
  readonly firstPasswords: 'one-time' | 'none'
  /** The program on everybody's PATH; left out where it is installed in another way. */
  readonly program?: Program
}

/** An account as the organisation asks for it. */
export interface WantedUser {
  readonly name: string
  readonly uid: number
  readonly fullName: string
  readonly shell: string
  readonly groups: readonly string[]
  readonly passwordHash?: string
  readonly sshKeys: readonly string[]
}

/** The program that everybody gets on their PATH. */
export interface Program {
  /** The directory of the built program, with `arena.js` in it. */
  readonly directory: string
  /** Bash completion. */
  readonly completion: string
}

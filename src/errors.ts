/** How a code of the table below ends the program, and what it stands for. */
export interface ErrorCode {
  /** Exit status of the `arena` command. */
  readonly exit: number
  /** One sentence for the reference page. */
  readonly meaning: string
}

/**
 * What the exit statuses of the `arena` command say to scripts. No error ends with 2: that one is an answer. A wrong
 * command line ends with 1, as in the original tool.
 */
export const exitStatuses: Readonly<Record<number, string>> = {
  0: 'Done; `org plan` and `host plan`: nothing to do; `org drift`: none, or its `--watch` was ended.',
  1: 'The command line is wrong, or the request was refused or failed.',
  2: 'No error: `org plan` and `host plan` found changes that are pending, `org drift` found drift.',
  3: 'What was named does not exist; `cluster status`: it does not run.',
  4: 'Not signed in, or not allowed.',
  5: 'The cluster cannot be reached.',
  130: 'Interrupted.',
}

/** Every error a user can meet. */
export const errorCodes = {
  USAGE: {
    exit: 1,
    meaning: 'The command line is wrong: an unknown flag, a missing argument or a value of the wrong form.',
  },
  FILE_UNREADABLE: { exit: 1, meaning: 'A file named on the command line cannot be read or written.' },
  CONFIG_INVALID: { exit: 1, meaning: 'A kubeconfig, the arena config file or a cluster file has a fault.' },
  CLUSTER_UNREACHABLE: { exit: 5, meaning: 'No answer from the API server.' },
  UNAUTHENTICATED: { exit: 4, meaning: 'The API server does not accept the credentials.' },
  FORBIDDEN: { exit: 4, meaning: 'The user may not do this; the server decided.' },
  NOT_FOUND: { exit: 3, meaning: 'The named object does not exist, or the user may not know of it.' },
  ALREADY_EXISTS: { exit: 1, meaning: 'An object of that name exists already.' },
  CONFLICT: { exit: 1, meaning: 'The object changed in the meantime.' },
  LOCKED: {
    exit: 1,
    meaning:
      'Another command is changing the same organisation, its file or the same host; it is named. Nothing was changed.',
  },
  REJECTED: { exit: 1, meaning: 'The API server refused the request for a reason given in the message.' },
  ORG_FILE_INVALID: {
    exit: 1,
    meaning: 'The organisation file has faults; each is named with line, column and hint.',
  },
  ORG_CONFLICT: {
    exit: 1,
    meaning:
      'An object that the organisation needs exists already and belongs to somebody else; it is never touched.',
  },
  LOSS_REFUSED: {
    exit: 1,
    meaning: 'The plan destroys something or takes rights from somebody, and --allow-destroy was not given.',
  },
  PLAN_OUTDATED: {
    exit: 1,
    meaning: 'The cluster or the organisation file changed since the plan was made.',
  },
  APPLY_INCOMPLETE: { exit: 1, meaning: 'Some changes of a plan failed; running the command again resumes.' },
  HOST_CONFLICT: {
    exit: 1,
    meaning: 'An account, id or home on the client host stands in the way; nothing was changed.',
  },
  NEVER_FITS: {
    exit: 1,
    meaning: 'A job asks for more than its group or any node will ever have; nothing was created.',
  },
  QUOTA_FULL: { exit: 1, meaning: 'The group has as many jobs as its quota allows; nothing was created.' },
  REQUESTS_MISSING: {
    exit: 1,
    meaning: 'The quota of the group limits CPU or memory, and the job does not say how much it wants.',
  },
  VOLUME_UNAVAILABLE: { exit: 1, meaning: 'A volume named with --data is none that the group may use.' },
  POD_FORBIDDEN: {
    exit: 4,
    meaning: 'A job asks to reach into the machine it runs on, which the group may not.',
  },
  OPERATOR_MISSING: {
    exit: 1,
    meaning: 'The cluster does not know this kind of job: its operator is not installed.',
  },
  JOB_FAILED: { exit: 1, meaning: 'A job that was waited for ended without success.' },
  INTERRUPTED: { exit: 130, meaning: 'Stopped by Ctrl-C or a signal.' },
  STORE_IN_USE: { exit: 1, meaning: 'Another process has the data directory of the embedded cluster open.' },
  PORT_IN_USE: { exit: 1, meaning: 'The port the embedded cluster was told to use is taken.' },
  STORE_DAMAGED: { exit: 1, meaning: 'The data of the embedded cluster is not whole or of another format.' },
  STORE_UNWRITABLE: { exit: 1, meaning: 'The data directory of the embedded cluster cannot be written.' },
  TIMEOUT: { exit: 1, meaning: 'What was waited for did not happen in time.' },
} as const satisfies Record<string, ErrorCode>

/** By what code branches on expected failures; never reused for another meaning. */
export type UserErrorCode = keyof typeof errorCodes

/** An expected failure, printed as message and hint and never with a stack. Branch on `code`, never on the text. */
export class UserError extends Error {
  readonly code: UserErrorCode
  /** What to do next: a command or an edit. */
  readonly hint: string | undefined

  constructor(code: UserErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.code = code
    this.hint = options.hint
  }
}

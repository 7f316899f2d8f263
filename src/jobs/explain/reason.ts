/** Why a job does not run. These words are part of the API: the command line, JSON and others use the same. */
export type ReasonCode =
  | 'QuotaExceeded'
  | 'NeverFits'
  | 'RequestsMissing'
  | 'InsufficientNodes'
  | 'NodeMismatch'
  | 'VolumeUnbound'
  | 'VolumeForbidden'
  | 'ImagePullFailed'
  | 'Suspended'
  | 'GangIncomplete'
  | 'OperatorMissing'
  | 'Crashed'

/** A job that holds what another one waits for. */
export interface Holder {
  readonly job: string
  readonly owner?: string
  /** In words, as in `1 GPU`. */
  readonly amount: string
}

/** What keeps a job from running: what it needs, what there is, who has it, and what would start it. */
export interface Reason {
  readonly code: ReasonCode
  /** One sentence. */
  readonly message: string
  /** In words, by resource. */
  readonly needed?: readonly string[]
  readonly available?: readonly string[]
  /** The quota that is exhausted. */
  readonly quota?: string
  readonly holders?: readonly Holder[]
  /** The smallest change that would start the job, or the statement that it starts by itself. */
  readonly suggestion?: string
}

/** A reason as a person reads it: what keeps the job, then what would start it. */
export function explainReason(reason: Reason): string[] {
  const heading = reason.code === 'Crashed' ? reason.code : `Waiting (${reason.code})`
  return [
    `${heading}: ${reason.message}`,
    ...(reason.suggestion === undefined ? [] : [`  ${reason.suggestion}`]),
  ]
}

/** A reason in one line, for a table that names the job beside it. */
export function reasonInLine(job: string, reason: Reason): string {
  // The column before says already which job it is, and that it failed.
  const message = [`${job} failed: `, `${job} `].reduce(
    (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text),
    reason.message,
  )
  const suggestion =
    reason.code === 'QuotaExceeded' && reason.suggestion !== undefined ? `; ${reason.suggestion}` : ''
  return `${reason.code}: ${message}${suggestion}`
}

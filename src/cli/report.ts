import { errorCodes, UserError, type UserErrorCode } from '../errors.ts'
import { StatusError } from '../kube/index.ts'

/** What is shown of a failure, and the exit status it ends the program with. */
export interface Report {
  readonly exit: number
  readonly lines: readonly string[]
}

const codeOfReason: Readonly<Record<string, UserErrorCode>> = {
  Unauthorized: 'UNAUTHENTICATED',
  Forbidden: 'FORBIDDEN',
  NotFound: 'NOT_FOUND',
  AlreadyExists: 'ALREADY_EXISTS',
  Conflict: 'CONFLICT',
}

const hintOfCode: Readonly<Partial<Record<UserErrorCode, string>>> = {
  UNAUTHENTICATED:
    'the credentials may have expired or been withdrawn: ask your admin for a fresh kubeconfig',
  FORBIDDEN: 'arena whoami shows who you are and where you may work',
}

/** The error of the table that a refusal of the server stands for. */
function codeOfStatus(error: StatusError): UserErrorCode {
  return codeOfReason[error.reason] ?? 'REJECTED'
}

/** Turns any failure into what the user sees: message and hint for expected ones, the stack for our own faults. */
export function reportError(error: unknown, options: { isDebug?: boolean } = {}): Report {
  if (error instanceof UserError) {
    if (error.code === 'INTERRUPTED') return { exit: errorCodes.INTERRUPTED.exit, lines: [] }
    return {
      exit: errorCodes[error.code].exit,
      lines: [
        `error: ${error.message}`,
        ...(error.hint === undefined ? [] : [`hint: ${error.hint}`]),
        ...(options.isDebug === true ? causeLines(error) : []),
      ],
    }
  }
  if (error instanceof StatusError) {
    // Whom the server took for nobody has not been refused: they did not say who they are.
    const isNobody = error.reason === 'Forbidden' && error.message.includes('User "system:anonymous"')
    if (isNobody) {
      const hint = 'the kubeconfig carries no credentials for this cluster; see: arena login --help'
      return { exit: errorCodes.UNAUTHENTICATED.exit, lines: [`error: ${error.message}`, `hint: ${hint}`] }
    }
    const code = codeOfStatus(error)
    const isEverywhere = code === 'FORBIDDEN' && error.message.endsWith('at the cluster scope')
    const hint = isEverywhere
      ? "only admins may look at all groups: name one with -n GROUP, or use an admin's kubeconfig"
      : hintOfCode[code]
    return {
      exit: errorCodes[code].exit,
      lines: [`error: ${error.message}`, ...(hint === undefined ? [] : [`hint: ${hint}`])],
    }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    exit: 1,
    lines: [`error: arena failed in a way it should not: please report this with the lines below`, text],
  }
}

function causeLines(error: Error): string[] {
  const lines: string[] = []
  let cause = error.cause
  while (cause instanceof Error && lines.length < 10) {
    lines.push(`cause: ${cause.stack ?? cause.message}`)
    cause = cause.cause
  }
  return lines
}

import { type Fault, forbiddenField, notSupported } from '../registry/index.ts'

/** The parameters of a list or watch that say how old the answer may be. */
export interface VersionQuestion {
  readonly isWatch: boolean
  readonly match: string | undefined
  readonly resourceVersion: string | undefined
  readonly next: string | undefined
  readonly sendInitialEvents: boolean | undefined
}

const field = 'resourceVersionMatch'

/** Which of them do not go together: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
export function versionFaults(question: VersionQuestion): Fault[] {
  return question.isWatch ? watchFaults(question) : listFaults(question)
}

function listFaults({ match, resourceVersion, next, sendInitialEvents }: VersionQuestion): Fault[] {
  const faults: Fault[] = []
  if (match) {
    if (!resourceVersion)
      faults.push(forbiddenField(field, `${field} is forbidden unless resourceVersion is provided`))
    if (next) faults.push(forbiddenField(field, `${field} is forbidden when continue is provided`))
    if (match !== 'Exact' && match !== 'NotOlderThan')
      faults.push(notSupported(field, match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && resourceVersion === '0')
      faults.push(forbiddenField(field, `${field} "exact" is forbidden for resourceVersion "0"`))
  }
  if (sendInitialEvents !== undefined)
    faults.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  return faults
}

function watchFaults({ match, next, sendInitialEvents }: VersionQuestion): Fault[] {
  const faults: Fault[] = []
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    faults.push(forbiddenField(field, `sendInitialEvents requires setting ${field} to NotOlderThan`))
  if (match) {
    if (sendInitialEvents === undefined)
      faults.push(
        forbiddenField(field, `${field} is forbidden for watch unless sendInitialEvents is provided`),
      )
    if (match !== 'NotOlderThan') faults.push(notSupported(field, match, ['NotOlderThan']))
    if (next) faults.push(forbiddenField(field, `${field} is forbidden when continue is provided`))
  }
  return faults
}

import { X509Certificate } from 'node:crypto'
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from 'kubernetes-types/certificates/v1.js'
import { timestamp } from '../../../../kube/index.ts'
import { duplicate, type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import type { Of } from '../define.ts'

type Request = Of<CertificateSigningRequest>

/** Conditions that are there for good and can be nothing but true. */
const lasting = ['Approved', 'Denied', 'Failed'] as const
const decisions = ['Approved', 'Denied'] as const

const conditionsOf = ({ status }: Request): Condition[] => status?.conditions ?? []
const ofType = (object: Request, wanted: string): Condition[] =>
  conditionsOf(object).filter(({ type }) => type === wanted)

/** Gives new conditions their times. */
export function stampConditions(object: Request, old: Request, at: Date): void {
  for (const condition of conditionsOf(object)) {
    condition.lastUpdateTime ??= timestamp(at)
    condition.lastTransitionTime ??=
      conditionsOf(old).find(({ type, status }) => type === condition.type && status === condition.status)
        ?.lastTransitionTime ?? timestamp(at)
  }
}

/** Who may change the status but not decide leaves decisions as they are; validation refuses new ones. */
export function keepDecisions(object: Request, old: Request): void {
  for (const type of decisions) {
    const before = ofType(old, type)
    if (before.length === 0 || before.length !== ofType(object, type).length) continue
    let next = 0
    const kept = conditionsOf(object).map((one) => (one.type === type ? (before[next++] ?? one) : one))
    object.status = { ...object.status, conditions: kept }
  }
}

export function conditionFaults(object: Request): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  for (const [index, { type, status }] of conditionsOf(object).entries()) {
    const path = `status.conditions[${index}]`
    if (!type) faults.push(required(`${path}.type`))
    const isLasting = lasting.some((one) => one === type)
    const allowed = isLasting ? ['True'] : ['False', 'True', 'Unknown']
    if (!status) faults.push(required(`${path}.status`))
    else if (!allowed.includes(status)) faults.push(notSupported(`${path}.status`, status, allowed))
    const contrary = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (contrary && seen.has(contrary))
      faults.push(invalidValue(`${path}.type`, type, 'Approved and Denied conditions are mutually exclusive'))
    if (seen.has(type)) faults.push(duplicate(`${path}.type`, type))
    seen.add(type)
  }
  return faults
}

export function certificateFaults({ status }: Request): Fault[] {
  const problem = status?.certificate ? problemOf(status.certificate) : undefined
  return problem === undefined ? [] : [invalidValue('status.certificate', '<certificate data>', problem)]
}

function problemOf(certificate: string): string | undefined {
  const text = Buffer.from(certificate, 'base64').toString('latin1')
  const blocks = [...text.matchAll(/-----BEGIN ([^\n]*?)-----[ \t\r]*\n([\s\S]*?)-----END \1-----/g)]
  for (const [whole, type = '', body = ''] of blocks) {
    if (type !== 'CERTIFICATE')
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (body.includes(':')) return 'no PEM block headers are permitted'
    try {
      void new X509Certificate(whole)
    } catch {
      return 'x509: malformed certificate'
    }
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}

/** What a change may not do: take back a decision, make one beside the approval, change what was issued. */
export function changeFaults(
  object: Request,
  old: Request,
  may: { readonly decide: boolean; readonly issue: boolean },
): Fault[] {
  const count = (of: Request, type: string): number => ofType(of, type).length
  const faults = [
    ...lasting
      .filter((type) => count(object, type) < count(old, type))
      .map((type) => `updates may not remove a condition of type "${type}"`),
    ...decisions
      .filter((type) => !may.decide && count(object, type) > count(old, type))
      .map((type) => `updates may not add a condition of type "${type}"`),
  ].map((text) => forbiddenField('status.conditions', text))
  const issued = old.status?.certificate ?? ''
  if ((object.status?.certificate ?? '') === issued) return faults
  if (!may.issue) faults.push(forbiddenField('status.certificate', 'updates may not set certificate content'))
  else if (issued !== '')
    faults.push(forbiddenField('status.certificate', 'updates may not modify existing certificate content'))
  return faults
}

import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1.js'
import { duplicate, type Fault, invalidValue, notSupported, required } from '../../faults.ts'
import { ageColumn, column, humanDuration, nameColumn } from '../columns.ts'
import { define, type Of } from '../define.ts'
import {
  certificateFaults,
  changeFaults,
  conditionFaults,
  keepDecisions,
  stampConditions,
} from './conditions.ts'
import { readCertificateRequest } from './read.ts'
import { signerNameFaults } from './signer-name.ts'

const shortestSeconds = 600
const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

/** Asks a signer for a certificate; somebody with the right to approves, and only then it is issued. */
export const certificateSigningRequests = define<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  namespaced: false,
  shortNames: ['csr'],
  hasStatus: true,
  views: { approval: 'status' },
  nameRule: 'path-segment',
  prepareForCreate(object, { user }) {
    const { request = '', signerName = '', expirationSeconds, usages: asked } = object.spec ?? {}
    // Who asks is not theirs to say: approvers and signers go by it.
    object.spec = {
      request,
      signerName,
      ...(expirationSeconds !== undefined && { expirationSeconds }),
      ...(asked && { usages: asked }),
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra && {
        extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])),
      }),
    }
  },
  prepareForUpdate(object, old, { subresource }) {
    object.spec = old.spec
    if (subresource === 'approval') {
      const conditions = object.status?.conditions
      object.status = { ...old.status, ...(conditions && { conditions }) }
      if (!conditions) delete object.status.conditions
    } else if (subresource === 'status') keepDecisions(object, old)
    else return
    stampConditions(object, old, new Date())
  },
  async examine({ spec }) {
    try {
      await readCertificateRequest(spec.request)
      return []
    } catch (error) {
      return [
        invalidValue('spec.request', spec.request, error instanceof Error ? error.message : String(error)),
      ]
    }
  },
  validate: (object) => [...specFaults(object), ...conditionFaults(object), ...certificateFaults(object)],
  validateUpdate: (object, old, { subresource }) =>
    changeFaults(object, old, { decide: subresource === 'approval', issue: false }),
  validateStatus: (object, old) => [
    ...conditionFaults(object),
    ...certificateFaults(object),
    ...changeFaults(object, old, { decide: false, issue: true }),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    column(
      'SignerName',
      'signerName indicates the requested signer, and is a qualified name.',
      ({ spec }) => spec.signerName,
    ),
    column(
      'Requestor',
      'username contains the name of the user that created the CertificateSigningRequest.',
      ({ spec }) => spec.username ?? '',
    ),
    column(
      'RequestedDuration',
      'expirationSeconds is the requested duration of validity of the issued certificate.',
      ({ spec }) =>
        spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    ),
    column('Condition', 'conditions applied to the request.', stateOf),
  ],
})

function specFaults({ spec }: Of<CertificateSigningRequest>): Fault[] {
  const faults: Fault[] = []
  const { usages: asked = [], expirationSeconds } = spec
  if (asked.length === 0) faults.push(required('spec.usages'))
  for (const [index, usage] of asked.entries())
    if (!usages.includes(usage)) faults.push(notSupported(`spec.usages[${index}]`, usage, usages))
  for (const [index, usage] of asked.entries())
    if (asked.indexOf(usage) < index) faults.push(duplicate(`spec.usages[${index}]`, usage))
  if (spec.signerName === 'kubernetes.io/legacy-unknown')
    faults.push(
      invalidValue(
        'spec.signerName',
        spec.signerName,
        'the legacy signerName is not allowed via this API version',
      ),
    )
  else faults.push(...signerNameFaults('spec.signerName', spec.signerName))
  if (expirationSeconds !== undefined && expirationSeconds < shortestSeconds)
    faults.push(
      invalidValue(
        'spec.expirationSeconds',
        expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    )
  return faults
}

function stateOf({ status }: Of<CertificateSigningRequest>): string {
  const has = (wanted: string): boolean => status?.conditions?.some(({ type }) => type === wanted) ?? false
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return `${decision}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`
}

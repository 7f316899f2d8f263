import type { CertificateSigningRequest, KubeObject } from '../../kube/index.ts'
import { type Admission, type Admitter, readCertificateRequest, type UserInfo } from '../registry/index.ts'
import type { AdmissionContext } from './context.ts'
import { refused, resourceOf } from './refusal.ts'

const resource = 'certificates.k8s.io/certificatesigningrequests'
const clientSigner = 'kubernetes.io/kube-apiserver-client'

/** Only who has the verb `approve` for a signer decides about requests to it. */
export function certificateApproval({ authorize }: Pick<AdmissionContext, 'authorize'>): Admitter {
  return {
    name: 'CertificateApproval',
    validate(admission) {
      if (!isUpdateOf(admission, 'approval')) return
      const { signerName } = requestOf(admission.oldObject).spec
      if (!mayUse(authorize, admission.request.user, 'approve', signerName))
        throw refused(
          admission,
          `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`,
        )
    },
  }
}

/** Only who has the verb `sign` for a signer issues certificates in its name. */
export function certificateSigning({ authorize }: Pick<AdmissionContext, 'authorize'>): Admitter {
  return {
    name: 'CertificateSigning',
    validate(admission) {
      if (!isUpdateOf(admission, 'status')) return
      const old = requestOf(admission.oldObject)
      const { status } = requestOf(admission.object)
      const isSame =
        status?.certificate === old.status?.certificate &&
        JSON.stringify(status?.conditions) === JSON.stringify(old.status?.conditions)
      const { signerName } = old.spec
      if (!isSame && !mayUse(authorize, admission.request.user, 'sign', signerName))
        throw refused(
          admission,
          `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`,
        )
    },
  }
}

/** Nobody gets a certificate that may do everything. */
export const certificateSubjectRestriction: Admitter = {
  name: 'CertificateSubjectRestriction',
  async validate(admission) {
    if (admission.operation !== 'CREATE' || resourceOf(admission) !== resource) return
    const { request, signerName } = requestOf(admission.object).spec
    if (signerName !== clientSigner) return
    // Held against its form before: see the kind's `examine`.
    const { organisations } = await readCertificateRequest(request)
    if (organisations.includes('system:masters'))
      throw refused(admission, `use of ${clientSigner} signer with system:masters group is not allowed`)
  },
}

function requestOf(object: KubeObject | undefined): CertificateSigningRequest {
  // Decoding holds every object against the schema of its kind before admission.
  return object as unknown as CertificateSigningRequest
}

function isUpdateOf(admission: Admission, subresource: string): boolean {
  const { operation, request } = admission
  return operation === 'UPDATE' && request.subresource === subresource && resourceOf(admission) === resource
}

/** A right names the signer, or all of its domain: `example.com/*`. */
function mayUse(
  authorize: AdmissionContext['authorize'],
  user: UserInfo,
  verb: string,
  signerName: string,
): boolean {
  const domain = signerName.split('/')[0] ?? ''
  return [signerName, `${domain}/*`].some(
    (name) =>
      authorize(user, { verb, group: 'certificates.k8s.io', version: '*', resource: 'signers', name })
        .allowed,
  )
}

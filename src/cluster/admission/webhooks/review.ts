import { exactJsonText } from '../../../kube/index.ts'
import type { Admission } from '../../registry/index.ts'
import { admissionRequest } from '../policies/bindings.ts'
import type { ReviewVersion } from './configured.ts'
import { type Invocation, objectsIn } from './invocation.ts'

/** The text of an `AdmissionReview` that asks a webhook about a request. */
export async function reviewText(
  { seenAs }: Invocation,
  admission: Admission,
  { uid, version }: { readonly uid: string; readonly version: ReviewVersion },
): Promise<string> {
  const { dryRun, options, ...rest } = admissionRequest(admission, seenAs)
  const { object, oldObject } = await objectsIn(seenAs, admission)
  return exactJsonText({
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...rest,
      object: shown(admission, object),
      oldObject: oldObject ?? null,
      dryRun,
      options,
    },
  })
}

/** The options of a stream have no metadata. */
function shown({ operation }: Admission, object: Admission['object']): object | null {
  if (operation !== 'CONNECT' || !object) return object ?? null
  const { metadata: _metadata, ...options } = object
  return options
}

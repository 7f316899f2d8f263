import type { CustomResourceConversion } from 'kubernetes-types/apiextensions/v1.js'
import { type Fault, forbiddenField, required } from '../faults.ts'
import { requiredChoice } from '../validation/checks.ts'
import { clientConfigFaults, reviewVersionFaults } from '../validation/webhook-client.ts'

const unwanted = 'should not be set when strategy is not set to Webhook'

/** Faults of how a CRD wants its versions converted. Paths are those of the API server's own form. */
export function conversionFaults(path: string, conversion: CustomResourceConversion | undefined): Fault[] {
  if (conversion === undefined) return []
  const { strategy, webhook } = conversion
  const faults = requiredChoice(`${path}.strategy`, strategy, ['None', 'Webhook'])
  const place = `${path}.webhookClientConfig`
  const versions = `${path}.conversionReviewVersions`
  if (strategy !== 'Webhook') {
    if (webhook?.clientConfig) faults.push(forbiddenField(place, unwanted))
    if (webhook?.conversionReviewVersions?.length) faults.push(forbiddenField(versions, unwanted))
    return faults
  }
  faults.push(
    ...(webhook?.clientConfig
      ? clientConfigFaults(place, webhook.clientConfig)
      : [required(place, 'required when strategy is set to Webhook')]),
  )
  return [...faults, ...reviewVersionFaults(versions, webhook?.conversionReviewVersions ?? [])]
}

import { describe, expect, it } from 'vitest'
import { admissionOver, namespaceWith, pod } from '../fixture.ts'
import { configuration, webhook } from './server.ts'

const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }]
const stored = (sideEffects: string, more: object = {}): object =>
  configuration(
    'Validating',
    'elder',
    webhook('a.b.example', { url: 'https://a.example' }, { rules, sideEffects, ...more }),
  )

describe('webhooks that were registered by elder rules', () => {
  it('refuse a dry run that they cannot take part in', async () => {
    const objects = namespaceWith('team')
    objects.put('admissionregistration.k8s.io/validatingwebhookconfigurations', stored('Some'))
    const admission = admissionOver(objects)
    await expect(admission.admit(pod('p', 'team'), { dryRun: true })).rejects.toMatchObject({
      status: {
        code: 400,
        reason: 'BadRequest',
        message: 'admission webhook "a.b.example" does not support dry run',
      },
    })
  })

  it('cannot be asked in a language that is not spoken here', async () => {
    const objects = namespaceWith('team')
    const versions = { admissionReviewVersions: ['v0'] }
    objects.put('admissionregistration.k8s.io/validatingwebhookconfigurations', stored('None', versions))
    await expect(admissionOver(objects).admit(pod('p', 'team'))).rejects.toThrow(
      'failed calling webhook "a.b.example": could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    )
  })
})

import type { ServiceAccount } from 'kubernetes-types/core/v1.js'
import { ageColumn, column, nameColumn } from './columns.ts'
import { define } from './define.ts'

export const serviceAccounts = define<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
  shortNames: ['sa'],
  deleteReturnsObject: true,
  prepareForCreate(object) {
    if (object.secrets) object.secrets = object.secrets.map(({ name }) => ({ name: name ?? '' }))
  },
  prepareForUpdate(object) {
    if (object.secrets) object.secrets = object.secrets.map(({ name }) => ({ name: name ?? '' }))
  },
  columns: [
    nameColumn,
    column(
      'Secrets',
      'Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are allowed to use. Pods are only limited to this list if this service account has a "kubernetes.io/enforce-mountable-secrets" annotation set to "true". The "kubernetes.io/enforce-mountable-secrets" annotation is deprecated since v1.32. Prefer separate namespaces to isolate access to mounted secrets. This field should not be used to find auto-generated service account token secrets for use outside of pods. Instead, tokens can be requested directly using the TokenRequest API, or service account token secrets can be manually created. More info: https://kubernetes.io/docs/concepts/configuration/secret',
      (object) => object.secrets?.length ?? 0,
    ),
    ageColumn,
  ],
})

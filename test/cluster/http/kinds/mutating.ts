import { expect } from 'vitest'
import type { ApiOfKinds } from './cluster.ts'

export const group = '/apis/admissionregistration.k8s.io/v1'
export const policies = `${group}/mutatingadmissionpolicies`
export const bindings = `${group}/mutatingadmissionpolicybindings`

export const rule = (resource: string, apiGroup = ''): object => ({
  apiGroups: [apiGroup],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: [resource],
})
export const apply = (expression: string): object => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
})
export const json = (expression: string): object => ({ patchType: 'JSONPatch', jsonPatch: { expression } })

export function policy(name: string, mutations: object[], spec: object = {}): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [rule('configmaps')] },
      reinvocationPolicy: 'Never',
      mutations,
      ...spec,
    },
  }
}

/** Puts a policy to work. */
export async function enforce(
  api: ApiOfKinds,
  name: string,
  mutations: object[],
  spec?: object,
  binding: object = {},
): Promise<void> {
  const made = await api.send('POST', policies, policy(name, mutations, spec))
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  const bound = await api.send('POST', bindings, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: `${name}-binding` },
    spec: { policyName: name, ...binding },
  })
  expect(bound.status, JSON.stringify(bound.body)).toBe(201)
}

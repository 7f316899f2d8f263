import { expect, test } from 'vitest'
import { createAuth } from '../../../src/cluster/auth/index.ts'
import type { UserInfo } from '../../../src/cluster/registry/request.ts'
import { type JsonObject, StatusError } from '../../../src/kube/index.ts'
import { binding, bootstrappedReader, putRbac, role } from './rbac-objects.ts'
import { requestOf } from './requests.ts'
import { tokenKey } from './token-key.ts'

const ann: UserInfo = { name: 'ann', uid: '7', groups: ['system:authenticated'] }

async function review(
  kind: string,
  spec: object,
  namespace?: string,
  metadata: JsonObject = {},
): Promise<unknown> {
  const reader = bootstrappedReader()
  putRbac(reader, role('dev1', 'dev', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]))
  putRbac(reader, binding('dev1', 'ann', { role: 'dev' }, [{ kind: 'User', name: 'ann' }]))
  const resource = createAuth({ reader, tokenKey }).virtualResources.find((one) => one.kind === kind)
  if (!resource) throw new Error(`${kind} is not served`)
  const request = requestOf({ user: ann, plural: resource.plural, ...(namespace && { namespace }) })
  try {
    const made = await resource.create({ kind, metadata, spec: { ...spec } }, request)
    return made.status
  } catch (error) {
    if (error instanceof StatusError) return error.message
    throw error
  }
}

test('people may ask what they may do themselves', async () => {
  const ask = (verb: string): Promise<unknown> =>
    review('SelfSubjectAccessReview', {
      resourceAttributes: { namespace: 'dev1', verb, resource: 'pods' },
    })
  expect(await ask('get')).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "ann/dev1" of Role "dev" to User "ann"',
  })
  expect(await ask('delete')).toEqual({ allowed: false })
  expect(
    await review('SelfSubjectAccessReview', { nonResourceAttributes: { verb: 'get', path: '/version' } }),
  ).toMatchObject({ allowed: true })
})

test('a review of nothing, or of two things, is invalid', async () => {
  expect(await review('SelfSubjectAccessReview', {})).toBe(
    'SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified',
  )
  expect(
    await review('SelfSubjectAccessReview', { resourceAttributes: {}, nonResourceAttributes: {} }),
  ).toContain('cannot be specified in combination with resourceAttributes')
  expect(await review('SubjectAccessReview', { resourceAttributes: { verb: 'get' } })).toContain(
    'spec.user: Invalid value: "": at least one of user or group must be specified',
  )
})

test('others are asked about by name and groups', async () => {
  const spec = { resourceAttributes: { namespace: 'dev1', verb: 'get', resource: 'pods' } }
  expect(await review('SubjectAccessReview', { ...spec, user: 'ann' })).toMatchObject({ allowed: true })
  expect(await review('SubjectAccessReview', { ...spec, user: 'tom' })).toEqual({ allowed: false })
  expect(await review('SubjectAccessReview', { ...spec, groups: ['system:masters'] })).toEqual({
    allowed: true,
  })
  expect(await review('LocalSubjectAccessReview', { ...spec, user: 'ann' }, 'dev1')).toMatchObject({
    allowed: true,
  })
  expect(await review('LocalSubjectAccessReview', { ...spec, user: 'ann' }, 'dev2')).toBe(
    'spec.resourceAttributes.namespace must match namespace: dev2',
  )
})

test('a question has no name, labels or anything else of an object', async () => {
  const spec = { user: 'ann', resourceAttributes: { namespace: 'dev1', verb: 'get', resource: 'pods' } }
  for (const kind of ['SubjectAccessReview', 'SelfSubjectAccessReview']) {
    expect(await review(kind, spec, undefined, { name: 'x' })).toBe(
      `${kind}.authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"x"}: must be empty`,
    )
    expect(await review(kind, spec, undefined, { creationTimestamp: null, labels: {} })).toMatchObject({
      allowed: true,
    })
  }
  expect(await review('LocalSubjectAccessReview', spec, 'dev1', { namespace: 'dev1' })).toMatchObject({
    allowed: true,
  })
  expect(await review('LocalSubjectAccessReview', spec, 'dev1', { namespace: 'dev1', name: 'x' })).toBe(
    'LocalSubjectAccessReview.authorization.k8s.io "" is invalid: metadata: Invalid value: {"namespace":"dev1","name":"x"}: must be empty except for namespace',
  )
})

test('the rules that hold in a namespace can be listed', async () => {
  expect(await review('SelfSubjectRulesReview', { namespace: 'dev1' })).toMatchObject({
    incomplete: false,
    resourceRules: expect.arrayContaining([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]),
    nonResourceRules: expect.arrayContaining([
      { verbs: ['get'], nonResourceURLs: expect.arrayContaining(['/version']) },
    ]),
  })
  expect(await review('SelfSubjectRulesReview', {})).toBe('no namespace on request')
})

test('everybody may ask who they are', async () => {
  expect(await review('SelfSubjectReview', {})).toEqual({
    userInfo: { username: 'ann', uid: '7', groups: ['system:authenticated'] },
  })
})

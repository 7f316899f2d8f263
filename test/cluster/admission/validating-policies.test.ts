import { describe, expect, it } from 'vitest'
import { policyExpressionFaults } from '../../../src/cluster/admission/index.ts'
import type { KubeObject } from '../../../src/kube/index.ts'
import { admissionOver, namespaceWith, type Objects, pod } from './fixture.ts'

const policies = 'admissionregistration.k8s.io/validatingadmissionpolicies'
const bindings = 'admissionregistration.k8s.io/validatingadmissionpolicybindings'
const pods = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }

function policy(objects: Objects, spec: object): void {
  objects.put(policies, {
    metadata: { name: 't-owner' },
    spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules: [pods] }, ...spec },
  })
}

function bind(objects: Objects, spec: object = {}): void {
  objects.put(bindings, {
    metadata: { name: 't-owner' },
    spec: { policyName: 't-owner', validationActions: ['Deny'], ...spec },
  })
}

const owner = {
  variables: [
    {
      name: 'uid',
      expression:
        'has(object.spec.securityContext) && has(object.spec.securityContext.runAsUser) ? object.spec.securityContext.runAsUser : 0',
    },
  ],
  validations: [
    {
      expression: 'variables.uid >= 20000',
      messageExpression: "'runAsUser must be 20000 or more, not ' + string(variables.uid)",
      reason: 'Forbidden',
    },
    {
      expression:
        'object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged)',
      message: 'privileged containers are not allowed',
    },
  ],
}
const asUser = (runAsUser: number, container: object = {}): object => ({
  securityContext: { runAsUser },
  containers: [{ name: 'm', image: 'i', ...container }],
})

describe('validating admission policies', () => {
  it('refuse in the words and with the codes of Kubernetes', async () => {
    const objects = namespaceWith('t-vap', { guarded: 'yes' })
    policy(objects, owner)
    bind(objects, { matchResources: { namespaceSelector: { matchLabels: { guarded: 'yes' } } } })
    const admission = admissionOver(objects)
    const why =
      "ValidatingAdmissionPolicy 't-owner' with binding 't-owner' denied request: runAsUser must be 20000 or more, not 0"
    await expect(admission.admit(pod('root', 't-vap', asUser(0)))).rejects.toMatchObject({
      status: {
        code: 403,
        reason: 'Forbidden',
        message: `pods "root" is forbidden: ${why}`,
        details: { name: 'root', kind: 'pods', causes: [{ message: why }] },
      },
    })
    await expect(
      admission.admit(pod('priv', 't-vap', asUser(20001, { securityContext: { privileged: true } }))),
    ).rejects.toMatchObject({ status: { code: 422, reason: 'Invalid' } })
    await admission.admit(pod('fine', 't-vap', asUser(20001)))
    objects.put('/namespaces', { metadata: { name: 't-vap' }, status: { phase: 'Active' } })
    await admission.admit(pod('elsewhere', 't-vap', asUser(0)))
  })

  it('look at deletes and connects, at who asks and at what was there', async () => {
    const objects = namespaceWith('team')
    policy(objects, {
      matchConstraints: {
        resourceRules: [{ ...pods, operations: ['DELETE', 'CONNECT'], resources: ['pods', 'pods/exec'] }],
      },
      matchConditions: [{ name: 'people', expression: "!('system:masters' in request.userInfo.groups)" }],
      validations: [
        {
          expression:
            "request.operation == 'DELETE' ? oldObject.metadata.labels.owner == request.userInfo.username : object.container == 'main'",
          message: 'not yours',
        },
      ],
    })
    bind(objects)
    const admission = admissionOver(objects)
    const mine = { ...pod('p', 'team'), metadata: { name: 'p', namespace: 'team', labels: { owner: 'bob' } } }
    const remove = { operation: 'DELETE' as const, old: mine }
    await admission.admit(mine, { ...remove, user: { name: 'bob', groups: [] } })
    await expect(admission.admit(mine, { ...remove, user: { name: 'tom', groups: [] } })).rejects.toThrow(
      'not yours',
    )
    await admission.admit(mine, { ...remove, user: { name: 'tom', groups: ['system:masters'] } })
    const exec = { operation: 'CONNECT' as const, subresource: 'exec' }
    const options = { container: 'side', metadata: { name: 'p', namespace: 'team' } }
    await expect(admission.admit(options, exec)).rejects.toThrow('not yours')
  })

  it('take parameters from objects of the namespace, by name or by selector', async () => {
    const objects = namespaceWith('team')
    policy(objects, {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'object.spec.containers.size() <= int(params.data.most)' }],
    })
    bind(objects, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } })
    const admission = admissionOver(objects)
    await expect(admission.admit(pod('p', 'team'))).rejects.toThrow(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
    objects.put('/configmaps', {
      metadata: { name: 'limits', namespace: 'team', labels: { limits: 'yes' } },
      data: { most: '0' },
    })
    await expect(admission.admit(pod('p', 'team'))).rejects.toThrow(
      'failed expression: object.spec.containers.size() <= int(params.data.most)',
    )
    bind(objects, {
      paramRef: { selector: { matchLabels: { limits: 'no' } }, parameterNotFoundAction: 'Allow' },
    })
    await admission.admit(pod('p', 'team'))
    bind(objects, {
      paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Allow' },
    })
    await expect(admission.admit(pod('p', 'team'))).rejects.toThrow('failed expression')
  })

  it('warn instead of refusing where the binding says so', async () => {
    const objects = namespaceWith('team')
    policy(objects, { validations: [{ expression: 'false', message: 'never' }] })
    bind(objects, { validationActions: ['Warn', 'Audit'] })
    const { warnings } = await admissionOver(objects).admit(pod('p', 'team'))
    expect(warnings).toEqual([
      "Validation failed for ValidatingAdmissionPolicy 't-owner' with binding 't-owner': never",
    ])
  })

  it('refuse or let pass what they cannot evaluate, as their failure policy says', async () => {
    const objects = namespaceWith('team')
    const spec = { validations: [{ expression: 'object.spec.nope == 1' }] }
    policy(objects, spec)
    bind(objects)
    const admission = admissionOver(objects)
    await expect(admission.admit(pod('p', 'team'))).rejects.toThrow(
      "expression 'object.spec.nope == 1' resulted in error: no such key: nope",
    )
    policy(objects, { ...spec, failurePolicy: 'Ignore' })
    await admission.admit(pod('p', 'team'))
  })

  it('ask the authorizer, and see the namespace', async () => {
    const objects = namespaceWith('team', { tier: 'gold' })
    policy(objects, {
      validations: [
        {
          expression:
            "namespaceObject.metadata.labels.tier == 'gold' && authorizer.group('').resource('nodes').check('get').allowed() && authorizer.requestResource.check('create').allowed()",
        },
      ],
    })
    bind(objects)
    const asked: unknown[] = []
    const admission = admissionOver(objects, {
      authorize: (user, question) => {
        asked.push([user.name, question.resource, question.verb, question.namespace])
        return { allowed: true, reason: '' }
      },
    })
    await admission.admit(pod('p', 'team'))
    expect(asked).toEqual([
      ['someone', 'nodes', 'get', undefined],
      ['someone', 'pods', 'create', 'team'],
    ])
  })

  it('never keep anybody from mending policies', async () => {
    const objects = namespaceWith('team')
    policy(objects, {
      matchConstraints: {
        resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }],
      },
      validations: [{ expression: 'false' }],
    })
    bind(objects)
    const admission = admissionOver(objects)
    await admission.admit(
      { metadata: { name: 't-owner' } },
      { resource: policies, kind: 'ValidatingAdmissionPolicy' },
    )
    await expect(admission.admit({ metadata: { name: 'x' } }, { resource: '/nodes' })).rejects.toThrow(
      'denied request',
    )
  })

  it('do not compile with wrong syntax, unknown names or other results than asked for', () => {
    const faults = (spec: object): string[] =>
      policyExpressionFaults({ metadata: { name: 'x' }, spec } as KubeObject).map(({ field }) => field)
    expect(faults({ validations: [{ expression: 'object.spec.(' }] })).toEqual([
      'spec.validations[0].expression',
    ])
    expect(faults({ validations: [{ expression: '1', messageExpression: '2' }] })).toEqual([
      'spec.validations[0].expression',
      'spec.validations[0].messageExpression',
    ])
    expect(
      faults({
        variables: [
          { name: 'a', expression: '1' },
          { name: 'b', expression: 'variables.a + variables.later' },
        ],
        matchConditions: [{ name: 'm', expression: 'variables.a == 1' }],
        validations: [{ expression: "variables.a == 'text'" }, { expression: 'request.nope' }],
        auditAnnotations: [{ key: 'k', valueExpression: '1' }],
      }),
    ).toEqual([
      'spec.matchConditions[0].expression',
      'spec.variables[1].expression',
      'spec.validations[0].expression',
      'spec.validations[1].expression',
      'spec.auditAnnotations[0].valueExpression',
    ])
    expect(faults(owner)).toEqual([])
  })
})

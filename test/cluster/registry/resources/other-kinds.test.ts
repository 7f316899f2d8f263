import { describe, expect, it } from 'vitest'
import { validatingAdmissionPolicyBindings } from '../../../../src/cluster/registry/resources/admission-policy/binding.ts'
import { validatingAdmissionPolicies } from '../../../../src/cluster/registry/resources/admission-policy/policy.ts'
import { events } from '../../../../src/cluster/registry/resources/event.ts'
import { leases } from '../../../../src/cluster/registry/resources/lease.ts'
import { podDisruptionBudgets } from '../../../../src/cluster/registry/resources/pod-disruption-budget.ts'
import { podTemplates } from '../../../../src/cluster/registry/resources/pod-template.ts'
import { priorityClasses } from '../../../../src/cluster/registry/resources/priority-class.ts'
import { reportedEvents } from '../../../../src/cluster/registry/resources/reported-event.ts'
import { invalidValue } from '../../../../src/cluster/registry/faults.ts'
import { at, type Body, created, createFaults, put, row, updateFaults } from './drive.ts'

const named = (fields: Body): Body => ({ metadata: { name: 'n' }, ...fields })

describe('events', () => {
  const event = {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reason: 'Started',
    message: 'Started container',
    type: 'Normal',
    source: { component: 'kubelet', host: 'n1' },
    lastTimestamp: '2026-01-01T00:59:00Z',
    count: 3,
  }

  it('show what happened to what', () => {
    expect(row(events, created(events, event))).toMatchObject({
      'Last Seen': '60s',
      Type: 'Normal',
      Reason: 'Started',
      Object: 'pod/p',
      Source: 'kubelet, n1',
      Message: 'Started container',
      Count: 3,
    })
  })

  it('are found by what they are about', () => {
    const object = created(events, event)
    const values = Object.entries(events.selectableFields ?? {}).map(([field, of]) => [field, of(object)])
    expect(Object.fromEntries(values)).toMatchObject({
      'involvedObject.kind': 'Pod',
      'involvedObject.name': 'p',
      reason: 'Started',
      source: 'kubelet',
      type: 'Normal',
    })
  })

  it('are refused in another namespace than their object', () => {
    const faults = createFaults(events, {
      ...event,
      involvedObject: { kind: 'Pod', namespace: 'other', name: 'p' },
    })
    expect(faults).toEqual([
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ])
  })

  it('are one and the same in both of their groups', () => {
    const stored = created(events, event)
    const shown = reportedEvents.convert?.fromStored(structuredClone(stored))
    expect(shown).toMatchObject({
      regarding: { kind: 'Pod', name: 'p' },
      note: 'Started container',
      deprecatedCount: 3,
      deprecatedSource: { component: 'kubelet', host: 'n1' },
    })
    expect(shown && reportedEvents.convert?.toStored(shown)).toMatchObject({
      involvedObject: event.involvedObject,
      message: event.message,
      count: 3,
    })
    expect(reportedEvents.storedAs).toBe('/events')
  })
})

describe('leases', () => {
  it('last at least a second', () => {
    expect(createFaults(leases, named({ spec: { leaseDurationSeconds: 0 } }))).toEqual([
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ])
  })
})

describe('priority classes', () => {
  it('stay below those of the system', () => {
    expect(createFaults(priorityClasses, named({ value: 2_000_000_000 }))).toEqual([
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ])
  })

  it('keep their value', () => {
    const faults = updateFaults(priorityClasses, named({ value: 10 }), (object) => put(object, 'value', 11))
    expect(faults).toEqual(['value: Forbidden: may not be changed in an update.'])
  })
})

describe('pod disruption budgets', () => {
  it('say how many must stay or how many may go, not both', () => {
    const spec = { minAvailable: 1, maxUnavailable: 1, selector: { matchLabels: { a: 'b' } } }
    const [fault, ...others] = createFaults(podDisruptionBudgets, named({ spec }))
    expect(fault).toMatch(/^spec: Invalid value: .*: minAvailable and maxUnavailable cannot be both set$/)
    expect(others).toEqual([])
  })
})

describe('pod templates', () => {
  it('are held to the rules of pods', () => {
    const template = { spec: { containers: [{ name: 'a' }], restartPolicy: 'Never' } }
    expect(createFaults(podTemplates, named({ template }))).toEqual([
      'template.spec.containers[0].image: Required value',
    ])
  })
})

describe('validating admission policies', () => {
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }]
  const policy = (spec: Body = {}): Body =>
    named({
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'true' }],
        ...spec,
      },
    })
  const policies = validatingAdmissionPolicies()

  it('are completed', () => {
    const object = created(policies, policy())
    expect(object['spec']).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: [{ ...rules[0], scope: '*' }],
      },
    })
    expect(row(policies, object)).toMatchObject({ Validations: 1, ParamKind: '<unset>' })
  })

  it.each<[string, Body, string[]]>([
    [
      'nothing to check',
      { validations: [] },
      [
        'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
        'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
    ['no requests', { matchConstraints: undefined }, ['spec.matchConstraints: Required value']],
    [
      'everything and something',
      { matchConstraints: { resourceRules: [{ ...rules[0], resources: ['*', 'pods'] }] } },
      [
        'spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
      ],
    ],
    [
      'verbs of another kind',
      { matchConstraints: { resourceRules: [{ ...rules[0], operations: ['get'] }] } },
      [
        'spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: "get": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      ],
    ],
    [
      'a variable that is a word of the language',
      { variables: [{ name: 'in', expression: '1' }] },
      ['spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier'],
    ],
  ])('are refused with %s', (_title, spec, faults) => {
    expect(createFaults(policies, policy(spec))).toEqual(faults)
  })

  it('are refused when whoever runs them cannot read them', () => {
    const strict = validatingAdmissionPolicies(() => [
      invalidValue('spec.validations[0].expression', 'object.spec.(', 'compilation failed'),
    ])
    expect(createFaults(strict, policy())).toEqual([
      'spec.validations[0].expression: Invalid value: "object.spec.(": compilation failed',
    ])
  })

  it('are bound with what is to happen', () => {
    const binding = (spec: Body): Body => named({ spec: { policyName: 'p', ...spec } })
    const bindings = validatingAdmissionPolicyBindings
    const object = created(bindings, binding({ validationActions: ['Deny'] }))
    expect(at(object, 'spec')).toEqual({ policyName: 'p', validationActions: ['Deny'] })
    expect(createFaults(bindings, binding({ validationActions: ['Deny', 'Warn'] }))).toEqual([
      'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ])
    expect(createFaults(bindings, binding({}))).toEqual([
      'spec.validationActions: Required value: at least one validation action is required',
    ])
  })
})

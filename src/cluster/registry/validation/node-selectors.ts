import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from 'kubernetes-types/core/v1.js'
import { type Fault, forbiddenField, invalidValue, required } from '../faults.ts'
import { checked } from './checks.ts'
import { dnsSubdomain, labelText, qualifiedName } from './names.ts'

export function validateNodeSelector(path: string, selector: NodeSelector): Fault[] {
  const at = `${path}.nodeSelectorTerms`
  const terms = selector.nodeSelectorTerms ?? []
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')]
  return terms.flatMap((term, index) => validateNodeSelectorTerm(`${at}[${index}]`, term, 'strict'))
}

/** `lenient` accepts label values that no node can have: preferences may be idle. */
export function validateNodeSelectorTerm(
  path: string,
  term: NodeSelectorTerm,
  values: 'strict' | 'lenient',
): Fault[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
      labelFaults(`${path}.matchExpressions[${index}]`, requirement, values),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, index) =>
      fieldFaults(`${path}.matchFields[${index}]`, requirement),
    ),
  ]
}

function labelFaults(
  path: string,
  { key, operator, values = [] }: NodeSelectorRequirement,
  rule: 'strict' | 'lenient',
): Fault[] {
  const faults: Fault[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      faults.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      faults.push(
        forbiddenField(
          `${path}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
      )
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      faults.push(
        required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
      )
    }
  } else {
    faults.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  }
  faults.push(...checked(`${path}.key`, key, qualifiedName))
  if (rule === 'strict') {
    for (const [index, value] of values.entries()) {
      faults.push(...checked(`${path}.values[${index}]`, value, labelText))
    }
  }
  return faults
}

function fieldFaults(path: string, { key, operator, values = [] }: NodeSelectorRequirement): Fault[] {
  const faults: Fault[] = []
  if (operator !== 'In' && operator !== 'NotIn') {
    faults.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  } else if (values.length !== 1) {
    faults.push(
      required(
        `${path}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      ),
    )
  }
  if (key !== 'metadata.name') {
    faults.push(invalidValue(`${path}.key`, key, 'not a valid field selector key'))
    return faults
  }
  for (const [index, value] of values.entries()) {
    faults.push(...checked(`${path}.values[${index}]`, value, dnsSubdomain))
  }
  return faults
}

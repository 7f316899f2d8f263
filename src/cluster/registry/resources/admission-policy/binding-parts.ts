import type { MatchResources, ParamRef } from 'kubernetes-types/admissionregistration/v1.js'
import { type Fault, forbiddenField, required } from '../../faults.ts'
import { checked, requiredChoice, validateLabelSelector } from '../../validation/checks.ts'
import { dnsSubdomain, pathSegment } from '../../validation/names.ts'
import { column } from '../columns.ts'
import type { ColumnOf } from '../define.ts'
import { validateMatch } from './match-resources.ts'

/** What every binding says, whatever its policy does with its requests. */
interface CommonSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
}

export function bindingFaults({ policyName, paramRef, matchResources }: CommonSpec): Fault[] {
  return [
    ...(policyName ? checked('spec.policyName', policyName, dnsSubdomain) : [required('spec.policyName')]),
    ...(paramRef ? paramFaults('spec.paramRef', paramRef) : []),
    ...(matchResources ? validateMatch('spec.matchResources', matchResources) : []),
  ]
}

function paramFaults(path: string, reference: ParamRef): Fault[] {
  const { name, selector, parameterNotFoundAction: action } = reference
  const exclusive = 'name and selector are mutually exclusive'
  const faults: Fault[] = []
  if (name) {
    faults.push(...checked(`${path}.name`, name, pathSegment))
    if (selector) faults.push(forbiddenField(`${path}.name`, exclusive))
  }
  if (selector) {
    faults.push(...validateLabelSelector(`${path}.selector`, selector))
    if (name) faults.push(forbiddenField(`${path}.selector`, exclusive))
  }
  if (!name && !selector) {
    faults.push(required(path, 'one of name or selector must be specified'))
  }
  return [...faults, ...requiredChoice(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow'])]
}

/** New columns each time: what a binding binds, and with what. */
export function bindingColumns<T extends { readonly spec?: CommonSpec }>(): ColumnOf<T>[] {
  return [
    column(
      'PolicyName',
      'PolicyName indicates the policy definition which the policy binding binded to',
      ({ spec }) => spec?.policyName ?? '',
    ),
    column(
      'ParamRef',
      'ParamRef indicates the param resource which sets the configration param',
      ({ spec }) => {
        const { name = '', namespace } = spec?.paramRef ?? {}
        if (!spec?.paramRef) return '<unset>'
        return namespace ? `${namespace}/${name}` : name
      },
    ),
  ]
}

import { builtinRoles } from '../../org.ts'
import type { OrgFile } from '../schema.ts'
import { rulesOf } from '../rules.ts'
import { checkLabel } from './names.ts'
import type { Report } from './report.ts'

type Rule = ReturnType<typeof rulesOf>[number]

/** Roles of one's own may say anything except what would let their holder become somebody else or more. */
export function checkRoles(report: Report, file: OrgFile): void {
  for (const [name, entry] of Object.entries(file.roles ?? {})) {
    const path = ['roles', name]
    checkLabel(report, 'role', name, path)
    if ((builtinRoles as readonly string[]).includes(name)) {
      report({
        path,
        inKey: true,
        message: `role "${name}" has the name of a built-in role`,
        hint: 'choose another name; the built-in roles cannot be changed',
      })
    }
    const rules = rulesOf(entry)
    const at = Array.isArray(entry) ? path : [...path, 'rules']
    if (rules.length === 0) report({ path: at, message: `role "${name}" has no rules` })
    for (const [index, rule] of rules.entries()) {
      const fault = ruleFault(rule)
      if (fault)
        report({ path: [...at, index], message: `role "${name}" ${fault.message}`, hint: fault.hint })
    }
  }
}

function ruleFault(rule: Rule): { message: string; hint: string } | undefined {
  const { apiGroups = [], resources = [], resourceNames = [], verbs } = rule
  if (rule.nonResourceURLs !== undefined) {
    return {
      message: 'has a rule with nonResourceURLs, which a role of a group cannot give',
      hint: 'remove nonResourceURLs; roles hold inside the namespace of their group',
    }
  }
  if (verbs.length === 0 || resources.length === 0 || apiGroups.length === 0) {
    return {
      message: 'has a rule without apiGroups, resources or verbs',
      hint: 'give all three, as in: { apiGroups: [""], resources: [pods], verbs: [get, list] }',
    }
  }
  const inGroup = (group: string): boolean => apiGroups.includes(group) || apiGroups.includes('*')
  const on = (resource: string): boolean => resources.includes(resource) || resources.includes('*')
  const may = (...wanted: string[]): boolean =>
    verbs.includes('*') || wanted.some((verb) => verbs.includes(verb))
  const write = ['create', 'update', 'patch', 'delete', 'deletecollection'] as const
  if (inGroup('') && on('secrets') && (may('list', 'watch') || (may('get') && resourceNames.length === 0))) {
    return {
      message: 'reads all secrets of the group, among them tokens of other people',
      hint: 'name the secrets: resourceNames: [my-secret], with verbs: [get]',
    }
  }
  if (inGroup('') && on('serviceaccounts/token') && may('create')) {
    return {
      message: 'creates tokens for service accounts, which is signing in as other people',
      hint: 'remove serviceaccounts/token; everybody may renew their own token without it',
    }
  }
  if (inGroup('') && on('serviceaccounts') && may('impersonate', ...write)) {
    return {
      message: 'changes or impersonates service accounts, which are other people',
      hint: 'remove serviceaccounts, or keep the verbs get, list and watch',
    }
  }
  if (inGroup('rbac.authorization.k8s.io') && may('bind', 'escalate', ...write)) {
    return {
      message: 'changes roles or bindings, which would escape the plan and its review',
      hint: 'keep the verbs get, list and watch; rights are given in this file',
    }
  }
  if (inGroup('') && on('resourcequotas') && may(...write)) {
    return {
      message: 'changes quotas',
      hint: 'keep the verbs get, list and watch; quotas are set in this file',
    }
  }
  return undefined
}

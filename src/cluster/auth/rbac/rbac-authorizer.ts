import { type Authorizer, type Decision, isResourceAttributes } from '../authorizer.ts'
import { mastersGroup } from '../users.ts'
import { ruleAllows } from './policy-rule.ts'
import type { RuleResolver } from './rule-resolver.ts'

const masters: Decision = Object.freeze({ allowed: true, reason: '' })
const denied: Decision = Object.freeze({ allowed: false, reason: '' })

/** Role based access control; members of `system:masters` may do everything. */
export function createRbacAuthorizer(resolver: RuleResolver): Authorizer {
  return {
    authorize(attributes) {
      const { user } = attributes
      if (user.groups.includes(mastersGroup)) return masters
      const namespace = isResourceAttributes(attributes) ? attributes.namespace : undefined
      const { rules, faults } = resolver.heldBy(user, namespace)
      for (const { rule, source } of rules)
        if (ruleAllows(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${source}` }
      return faults.length === 0 ? denied : { allowed: false, reason: `RBAC: ${joined(faults)}` }
    },
  }
}

function joined(faults: readonly string[]): string {
  const different = [...new Set(faults)]
  return different.length === 1 ? (different[0] ?? '') : `[${different.join(', ')}]`
}

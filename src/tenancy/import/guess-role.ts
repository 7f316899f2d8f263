import type { PolicyRule } from '../../kube/index.ts'

export interface RuledRole {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly rules: readonly PolicyRule[]
}

/** The built-in role that comes nearest to what a role made by hand allows. */
export function guessRole(
  roles: readonly RuledRole[],
  reference: { kind: string; name: string },
  namespace: string,
): 'lead' | 'member' | 'viewer' {
  const place = reference.kind === 'Role' ? namespace : ''
  const found = roles.find(
    (role) => role.kind === reference.kind && role.name === reference.name && role.namespace === place,
  )
  const rules = found?.rules ?? []
  const may = (verb: string, resources: readonly string[]): boolean =>
    rules.some(
      (rule) =>
        (rule.verbs.includes(verb) || rule.verbs.includes('*')) &&
        resources.some((resource) => rule.resources?.includes(resource) || rule.resources?.includes('*')),
    )
  if (!may('create', ['tfjobs', 'pytorchjobs', 'mpijobs', 'jobs', 'pods'])) return 'viewer'
  return may('deletecollection', ['tfjobs', 'pytorchjobs', 'mpijobs']) && may('delete', ['pods'])
    ? 'lead'
    : 'member'
}

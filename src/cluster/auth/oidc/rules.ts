import { celTypes, type Environment, fromJson, type Program, type Value } from '../../cel/index.ts'
import {
  domainPrefixedPath,
  duplicate,
  type Fault,
  invalidValue,
  required,
  type UserInfo,
} from '../../registry/index.ts'
import {
  type Claims,
  claimedGroups,
  claimedName,
  claimedText,
  refuseDistributed,
  requireClaim,
} from './claims.ts'
import type { JwtEntry } from './configuration.ts'
import {
  claimsEnvironment,
  compiled,
  type Condition,
  listed,
  must,
  textOf,
  userEnvironment,
  uses,
} from './expressions.ts'

/** Whom the claims of an issuer's tokens make of their bearers. */
export interface Rules {
  /** @throws {TokenRefusal} */
  userOf(claims: Claims): UserInfo
}

/** Compiles what one entry says about claims and users, and collects what is wrong with it. */
export function compileRules(entry: JwtEntry, path: string, faults: Fault[]): Rules {
  const { username, groups, uid, extra } = entry.claimMappings
  const at = `${path}.claimMappings`
  const claimRules = claimConditions(entry, `${path}.claimValidationRules`, faults)
  const nameOf = mapping(username, `${at}.username`, faults, { isRequired: true })
  const groupsOf = mapping(groups, `${at}.groups`, faults, { isRequired: false })
  if (uid.claim !== '' && uid.expression !== '') {
    faults.push(invalidValue(`${at}.uid`, '', "claim and expression can't both be set"))
  }
  const uidOf = uid.expression === '' ? undefined : ofClaims(uid.expression, `${at}.uid.expression`, faults)
  const extras = extraMappings(extra, `${at}.extra`, faults)
  const checked = [
    ...extra.map((one) => one.valueExpression),
    ...entry.claimValidationRules.map((one) => one.expression),
  ]
  if (
    uses(username.expression, 'email') &&
    ![username.expression, ...checked].some((one) => uses(one, 'email_verified'))
  ) {
    const why =
      'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression'
    faults.push(invalidValue(`${at}.username.expression`, username.expression, why))
  }
  const userRules = userConditions(entry, `${path}.userValidationRules`, faults)
  return {
    userOf(claims) {
      refuseDistributed(claims, groups.claim)
      const value = lazily(() => fromJson(claims))
      const name = nameOf ? textOf(nameOf, value(), 'username') : claimedName(claims, username)
      const id = uidOf
        ? textOf(uidOf, value(), 'uid')
        : uid.claim === ''
          ? ''
          : claimedText(claims, uid.claim, 'uid claim')
      const user: UserInfo = {
        name,
        ...(id !== '' && { uid: id }),
        groups: groupsOf
          ? listed(groupsOf, value(), 'group claim expression')
          : claimedGroups(claims, groups),
        ...extraOf(claims, extras, value),
      }
      for (const { claim, requiredValue } of entry.claimValidationRules) {
        if (claim !== '') requireClaim(claims, claim, requiredValue)
      }
      for (const rule of claimRules) must(rule, { claims: value() }, 'claim validation expression')
      const shownUser = lazily(() =>
        fromJson({ username: name, uid: id, groups: user.groups, extra: user.extra ?? {} }),
      )
      for (const rule of userRules) must(rule, { user: shownUser() }, 'user info validation rule')
      return user
    },
  }
}

function claimConditions(entry: JwtEntry, path: string, faults: Fault[]): readonly Condition[] {
  const seen = new Set<string>()
  return entry.claimValidationRules.flatMap(({ claim, requiredValue, expression, message }, index) => {
    const at = `${path}[${index}]`
    if (claim !== '' && expression !== '') {
      faults.push(invalidValue(at, claim, "claim and expression can't both be set"))
    } else if (claim !== '') {
      if (message !== '') {
        faults.push(invalidValue(`${at}.message`, message, 'may not be specified when claim is set'))
      }
      if (seen.has(`claim ${claim}`)) faults.push(duplicate(`${at}.claim`, claim))
      seen.add(`claim ${claim}`)
    } else if (expression === '') {
      faults.push(required(at, 'claim or expression is required'))
    } else {
      if (requiredValue !== '') {
        faults.push(
          invalidValue(`${at}.requiredValue`, requiredValue, 'may not be specified when expression is set'),
        )
      }
      return condition({ expression, message }, `${at}.expression`, {
        environment: claimsEnvironment,
        seen,
        faults,
      })
    }
    return []
  })
}

function userConditions(entry: JwtEntry, path: string, faults: Fault[]): readonly Condition[] {
  const seen = new Set<string>()
  return entry.userValidationRules.flatMap((rule, index) => {
    const at = `${path}[${index}].expression`
    if (rule.expression !== '') return condition(rule, at, { environment: userEnvironment, seen, faults })
    faults.push(required(at))
    return []
  })
}

function condition(
  { expression, message }: { readonly expression: string; readonly message: string },
  at: string,
  { environment, seen, faults }: { environment: Environment; seen: Set<string>; faults: Fault[] },
): readonly Condition[] {
  if (seen.has(expression)) {
    faults.push(duplicate(at, expression))
    return []
  }
  seen.add(expression)
  const program = compiled(expression, at, environment, faults)
  if (program === undefined) return []
  if (celTypes.fitsWhole(program.type, celTypes.bool)) return [{ program, message }]
  faults.push(invalidValue(at, expression, 'must evaluate to bool'))
  return []
}

function mapping(
  { claim, prefix, expression }: JwtEntry['claimMappings']['username'],
  path: string,
  faults: Fault[],
  { isRequired }: { readonly isRequired: boolean },
): Program | undefined {
  if (claim !== '' && expression !== '') {
    faults.push(invalidValue(path, '', "claim and expression can't both be set"))
  } else if (expression !== '') {
    if (prefix !== undefined) {
      faults.push(invalidValue(`${path}.prefix`, prefix, 'may not be specified when expression is set'))
    }
    return ofClaims(expression, `${path}.expression`, faults)
  } else if (claim === '') {
    if (isRequired) faults.push(required(path, 'claim or expression is required'))
  } else if (prefix === undefined) {
    const why = 'prefix is required when claim is set. It can be set to an empty string to disable prefixing'
    faults.push(required(`${path}.prefix`, why))
  }
  return undefined
}

interface ExtraMapping {
  readonly key: string
  readonly program: Program
}

function extraMappings(
  extra: JwtEntry['claimMappings']['extra'],
  path: string,
  faults: Fault[],
): readonly ExtraMapping[] {
  const seen = new Set<string>()
  return extra.flatMap(({ key, valueExpression }, index) => {
    const at = `${path}[${index}]`
    faults.push(...domainPrefixedPath(`${at}.key`, key))
    if (key !== key.toLowerCase()) faults.push(invalidValue(`${at}.key`, key, 'must be lowercase'))
    if (/^(?:[^/]*\.)?(?:kubernetes|k8s)\.io\//.test(key)) {
      const why = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'
      faults.push(invalidValue(`${at}.key`, key, why))
    }
    if (seen.has(key)) {
      faults.push(duplicate(`${at}.key`, key))
      return []
    }
    seen.add(key)
    if (valueExpression === '') {
      faults.push(required(`${at}.valueExpression`))
      return []
    }
    const program = ofClaims(valueExpression, `${at}.valueExpression`, faults)
    return program === undefined ? [] : [{ key, program }]
  })
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const ofClaims = (expression: string, at: string, faults: Fault[]): Program | undefined =>
  compiled(expression, at, claimsEnvironment, faults)

function extraOf(
  claims: Claims,
  extras: readonly ExtraMapping[],
  value: () => Value,
): { readonly extra?: Readonly<Record<string, readonly string[]>> } {
  const extra: Record<string, readonly string[]> = {}
  const { jti } = claims
  if (typeof jti === 'string' && jti !== '')
    extra['authentication.kubernetes.io/credential-id'] = [`JTI=${jti}`]
  for (const { key, program } of extras) {
    const values = listed(program, value(), `extra claim expression: ${program.source}`)
    if (values.length > 0) extra[key] = values
  }
  return Object.keys(extra).length === 0 ? {} : { extra }
}

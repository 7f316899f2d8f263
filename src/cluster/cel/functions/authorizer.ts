import { CelEvaluationError } from '../errors.ts'
import { type CelFunction, method, overload } from '../function.ts'
import { bool, opaque, string } from '../types.ts'
import { Opaque } from '../values.ts'

/** What an expression wants to know about somebody's rights. */
export interface RightsQuestion {
  readonly verb: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly path?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

/** May they, and who says so. `reason` may be empty. */
export interface RightsAnswer {
  readonly allowed: boolean
  readonly reason: string
}

type Ask = (question: RightsQuestion, serviceAccount?: { namespace: string; name: string }) => RightsAnswer

abstract class Same extends Opaque {
  equals(other: Opaque): boolean {
    return other === this
  }
}

/** The `authorizer` of an expression: answers for the user of the request. */
export class AuthorizerValue extends Same {
  readonly kind = 'kubernetes.authorization.Authorizer'
  readonly ask: Ask
  readonly account: { namespace: string; name: string } | undefined
  constructor(ask: Ask, account?: { namespace: string; name: string }) {
    super()
    this.ask = ask
    this.account = account
  }
}

type Partial = Omit<RightsQuestion, 'verb'>

class CheckValue extends Same {
  readonly kind: string
  readonly authorizer: AuthorizerValue
  readonly partial: Partial
  constructor(kind: string, authorizer: AuthorizerValue, partial: Partial) {
    super()
    this.kind = kind
    this.authorizer = authorizer
    this.partial = partial
  }
}

/** The checks that `authorizer.requestResource` stands for. */
export function resourceCheck(authorizer: AuthorizerValue, partial: Partial): Opaque {
  return new CheckValue(resourceKind, authorizer, partial)
}

class DecisionValue extends Same {
  readonly kind = 'kubernetes.authorization.Decision'
  readonly answer: RightsAnswer
  constructor(answer: RightsAnswer) {
    super()
    this.answer = answer
  }
}

const authorizerKind = 'kubernetes.authorization.Authorizer'
const groupKind = 'kubernetes.authorization.GroupCheck'
const resourceKind = 'kubernetes.authorization.ResourceCheck'
const pathKind = 'kubernetes.authorization.PathCheck'
const decisionKind = 'kubernetes.authorization.Decision'
// A question costs as much as a long computation: it may walk many roles.
const costOfCheck = 350_000

/** Type of the variable `authorizer`. */
export const authorizerType = opaque(authorizerKind)
/** Type of the variable `authorizer.requestResource`. */
export const resourceCheckType = opaque(resourceKind)

function narrowed(name: string, change: (value: string) => Partial): CelFunction {
  return method(
    name,
    overload<[CheckValue, string]>(
      [resourceKind, 'string'],
      opaque(resourceKind),
      ([check, value]) =>
        new CheckValue(resourceKind, check.authorizer, { ...check.partial, ...change(value) }),
    ),
  )
}

const decide = (kind: string) =>
  overload<[CheckValue, string]>(
    [kind, 'string'],
    opaque(decisionKind),
    ([{ authorizer, partial }, verb], budget) => {
      budget.spend(costOfCheck)
      return new DecisionValue(authorizer.ask({ ...partial, verb }, authorizer.account))
    },
  )

/** Kubernetes' authorisation library. */
export const authorization: readonly CelFunction[] = [
  method(
    'path',
    overload<[AuthorizerValue, string]>(
      [authorizerKind, 'string'],
      opaque(pathKind),
      ([authorizer, path]) => {
        if (path.trim() === '') throw new CelEvaluationError('path must not be empty')
        return new CheckValue(pathKind, authorizer, { path })
      },
    ),
  ),
  method(
    'group',
    overload<[AuthorizerValue, string]>(
      [authorizerKind, 'string'],
      opaque(groupKind),
      ([authorizer, group]) => new CheckValue(groupKind, authorizer, { group }),
    ),
  ),
  method(
    'serviceAccount',
    overload<[AuthorizerValue, string, string]>(
      [authorizerKind, 'string', 'string'],
      authorizerType,
      ([{ ask }, namespace, name]) => new AuthorizerValue(ask, { namespace, name }),
    ),
  ),
  method(
    'resource',
    overload<[CheckValue, string]>(
      [groupKind, 'string'],
      opaque(resourceKind),
      ([check, resource]) => new CheckValue(resourceKind, check.authorizer, { ...check.partial, resource }),
    ),
  ),
  narrowed('subresource', (subresource) => ({ subresource })),
  narrowed('namespace', (namespace) => ({ namespace })),
  narrowed('name', (name) => ({ name })),
  narrowed('fieldSelector', (fieldSelector) => ({ fieldSelector })),
  narrowed('labelSelector', (labelSelector) => ({ labelSelector })),
  method('check', decide(resourceKind), decide(pathKind)),
  method(
    'allowed',
    overload<[DecisionValue]>([decisionKind], bool, ([{ answer }]) => answer.allowed),
  ),
  method(
    'reason',
    overload<[DecisionValue]>([decisionKind], string, ([{ answer }]) => answer.reason),
  ),
  method(
    'errored',
    overload<[DecisionValue]>([decisionKind], bool, () => false),
  ),
  method(
    'error',
    overload<[DecisionValue]>([decisionKind], string, () => ''),
  ),
]

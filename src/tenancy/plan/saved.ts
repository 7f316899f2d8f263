import { createHash } from 'node:crypto'
import { UserError } from '../../errors.ts'
import { type Change, keyOf, nameOf } from './change.ts'
import type { Plan } from './plan.ts'

/** A plan that was written down, to be reviewed and then carried out as it was reviewed. */
export interface SavedPlan {
  readonly version: 1
  readonly organisation: string
  /** Path of the organisation file as it was typed, and its text. */
  readonly file: string
  readonly text: string
  readonly madeAt: string
  readonly adopts: boolean
  /** What each change does, by object, and a mark of everything it depends on. */
  readonly changes: readonly { readonly key: string; readonly mark: string; readonly meaning: string }[]
}

/** A plan in the form in which it is written down for review. */
export function savePlan(
  plan: Plan,
  origin: { file: string; text: string; adopts: boolean; now: Date },
): SavedPlan {
  return {
    version: 1,
    organisation: plan.organisation,
    file: origin.file,
    text: origin.text,
    madeAt: origin.now.toISOString(),
    adopts: origin.adopts,
    changes: plan.changes.map((change) => ({
      key: keyOf(change),
      mark: markOf(change),
      meaning: change.meaning,
    })),
  }
}

/** @throws {UserError} `CONFIG_INVALID` when it is no saved plan. */
export function readSavedPlan(path: string, text: string): SavedPlan {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw noPlan(path, error)
  }
  if (!isSavedPlan(value)) throw noPlan(path)
  return value
}

function isSavedPlan(value: unknown): value is SavedPlan {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['organisation', 'file', 'text', 'madeAt'].every(
    (name) => typeof Reflect.get(value, name) === 'string',
  )
  return texts && Reflect.get(value, 'version') === 1 && Array.isArray(Reflect.get(value, 'changes'))
}

function noPlan(path: string, cause?: unknown): UserError {
  return new UserError('CONFIG_INVALID', `file "${path}" is no saved plan`, {
    hint: 'make one with: arena org plan --plan-out FILE',
    cause,
  })
}

/**
 * Refuses a plan made now that does anything else than the saved one. Changes that are no longer needed are those that
 * an interrupted run made.
 *
 * @throws {UserError} `PLAN_OUTDATED`
 */
export function refuseOutdated(saved: SavedPlan, plan: Plan): void {
  const marks = new Map(saved.changes.map((change) => [change.key, change.mark]))
  const unforeseen = plan.changes.filter((change) => marks.get(keyOf(change)) !== markOf(change))
  if (unforeseen.length === 0) return
  const shown = unforeseen.slice(0, 10).map((change) => `  ${nameOf(change)}: ${change.meaning}`)
  throw outdated(
    `the cluster changed since the plan was made on ${saved.madeAt}; it now needs\n${shown.join('\n')}`,
    saved,
  )
}

/** @throws {UserError} `PLAN_OUTDATED` */
export function outdated(message: string, saved: SavedPlan): UserError {
  return new UserError('PLAN_OUTDATED', message, {
    hint: `review a new plan: arena org plan -f ${saved.file} --plan-out FILE`,
  })
}

/** A mark that differs whenever the change would do something else, or to another object. */
function markOf({ action, details, object, uid, loss }: Change): string {
  return createHash('sha256')
    .update(JSON.stringify({ action, details, object, uid, loss }))
    .digest('hex')
    .slice(0, 32)
}

import { UserError } from '../../errors.ts'
import type { JobKind, JobObject } from './kind.ts'
import { tfJob } from './tf.ts'

/** Every kind of job that can be submitted and shown. */
const jobKinds = [tfJob] as const

/** A kind without its shapes, for code that treats all kinds alike. */
export type AnyJobKind = Omit<JobKind<never, JobObject>, 'readSpec' | 'build'>

/** The kinds that `--type` selects; all of them when it is empty. */
export function selectKinds(type: string | undefined): readonly AnyJobKind[] {
  const all: readonly AnyJobKind[] = jobKinds.map(anyKind)
  if (type === undefined || type === '') return all
  const wanted = type.toLowerCase()
  const kind = all.find(({ name, aliases }) => name === wanted || aliases.includes(wanted))
  if (kind !== undefined) return [kind]
  throw new UserError('USAGE', `job type "${type}" does not exist`, {
    hint: `use one of: ${all.map(({ name }) => name).join(', ')}`,
  })
}

/** Forgets the shapes of a kind. What is read from the server as that kind has its shape. */
function anyKind<T extends JobObject>(kind: Omit<JobKind<never, T>, 'readSpec' | 'build'>): AnyJobKind {
  const { name, aliases } = kind
  return {
    name,
    aliases,
    resource: kind.resource as AnyJobKind['resource'],
    roles: (job) => kind.roles(job as T),
    stateOf: (job) => kind.stateOf(job as T),
    chiefRole: (job) => kind.chiefRole(job as T),
    isSuspended: (job) => kind.isSuspended(job as T),
    resourceFlag: (role, resource) => kind.resourceFlag(role, resource),
  }
}

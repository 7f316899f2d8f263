import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stage } from './stage.ts'

/** One of the guide's five goals, with what was seen that proves it or not. */
export interface Goal {
  readonly text: string
  readonly isProved: boolean
  readonly proof: string
}

/** What was noted on the way through the guide. */
export interface Seen {
  /** Why bob's second job waited, and how many of the workers' GPUs were free then. */
  readonly waiting: { readonly message: string; readonly freeGpus: number }
  /** Did bob's second job start by itself when the first had ended? */
  readonly startedByItself: boolean
  readonly accuracy: number
  /** What tom's job read from the volume that bob's job had written to. */
  readonly sharedText: string
  readonly expectedText: string
}

/** Looks at the cluster for each goal; nothing here is assumed. */
export async function checkGoals(stage: Stage, seen: Seen): Promise<readonly Goal[]> {
  return [
    await groupsAndUsers(stage),
    await ownEnvironments(stage),
    await isolation(stage),
    quotas(seen),
    await volumes(stage, seen),
  ]
}

async function groupsAndUsers(stage: Stage): Promise<Goal> {
  const { stdout } = await stage.run('admin', ['arena', 'group', 'list', '-o', 'json'])
  const { stdout: users } = await stage.run('admin', ['arena', 'user', 'list', '-o', 'json'])
  const found = ['dev1', 'dev2'].filter((name) => stdout.includes(`"${name}"`))
  const people = ['bob', 'tom'].filter((name) => users.includes(`"${name}"`))
  return {
    text: 'Goal 1: two groups, and a user in each',
    isProved: found.length === 2 && people.length === 2,
    proof: `groups in the cluster: ${found.join(', ')}; users: ${people.join(', ')}`,
  }
}

async function ownEnvironments(stage: Stage): Promise<Goal> {
  const notes: string[] = []
  let isProved = true
  for (const person of ['bob', 'tom'] as const) {
    const { stdout } = await stage.run(person, ['arena', 'whoami'])
    const { mode } = await stat(join(stage.home(person), '.kube/config'))
    const isOwn = stdout.includes(`:${person}"`) || stdout.includes(`"${person}"`)
    isProved &&= isOwn && (mode & 0o077) === 0
    notes.push(
      `${person}'s kubeconfig (mode 0${(mode & 0o777).toString(8)}) makes them ${isOwn ? person : 'somebody else'}`,
    )
  }
  return { text: 'Goal 2: everybody works in an environment of their own', isProved, proof: notes.join('; ') }
}

/** What bob must not be able to do with tom's job, as typed. */
const trespasses = [
  ['arena', 'list', '-n', 'dev2'],
  ['arena', 'get', 'tf-git-tom-01', '-n', 'dev2'],
  ['arena', 'logs', 'tf-git-tom-01', '-n', 'dev2'],
  ['arena', 'delete', 'tf-git-tom-01', '-n', 'dev2'],
  ['arena', 'submit', 'tf', '--name=intruder', '-n', 'dev2', '--image=busybox', 'true'],
  ['arena', 'data', 'list', '-n', 'dev2'],
]

async function isolation(stage: Stage): Promise<Goal> {
  let refused = 0
  for (const words of trespasses) {
    const { status, output } = await stage.run('bob', words)
    if (status === 4 && /forbidden|may not|not allowed/i.test(output)) refused++
  }
  const { stdout } = await stage.run('tom', ['arena', 'list'])
  const seesOwn = stdout.includes('tf-git-tom-01')
  const seesOthers = stdout.includes('tf-git-bob')
  return {
    text: 'Goal 3: bob and tom see and manage only their own jobs',
    isProved: refused === trespasses.length && seesOwn && !seesOthers,
    proof: `the server refused ${refused} of bob's ${trespasses.length} attempts on tom's jobs; tom sees ${seesOwn ? 'his own' : 'nothing'}${seesOthers ? " and bob's" : ''}`,
  }
}

function quotas(seen: Seen): Goal {
  const { message, freeGpus } = seen.waiting
  return {
    text: "Goal 4: the workers' resources are divided by group",
    isProved: message !== '' && freeGpus > 0 && seen.startedByItself,
    proof: `with ${freeGpus} of the workers' GPUs free, bob's second job waited (${message}) and ${seen.startedByItself ? 'started by itself' : 'did not start'} when the first had ended`,
  }
}

async function volumes(stage: Stage, seen: Seen): Promise<Goal> {
  const lists = await Promise.all(
    (['bob', 'tom'] as const).map(
      async (person) => (await stage.run(person, ['arena', 'data', 'list'])).stdout,
    ),
  )
  const [bobs = '', toms = ''] = lists
  const hasOwn = /^dev1-public /m.test(bobs) && /^dev2-public /m.test(toms) && !/^dev2-public /m.test(bobs)
  const hasShared = bobs.includes('department1-public-dev1') && toms.includes('department1-public-dev2')
  const isShared = seen.sharedText.includes(seen.expectedText)
  return {
    text: 'Goal 5: volumes for one group, and volumes shared by several',
    isProved: hasOwn && hasShared && isShared,
    proof: `each group has a volume of its own and one shared; tom's job read "${seen.sharedText.trim()}" where bob's had written it`,
  }
}

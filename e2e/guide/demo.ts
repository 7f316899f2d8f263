import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkGoals, type Seen } from './goals.ts'
import { guideSubmit, jobsOf, waitForJob } from './jobs.ts'
import { createScreen, type Screen } from './screen.ts'
import { type Person, type Result, repositoryRoot, setStage, type Stage } from './stage.ts'

/**
 * The guide from its first step to its last on an embedded cluster, shown as it happens. `--keep` leaves the cluster
 * running. Exit status 0 when all five goals are reached.
 */
const keep = process.argv.includes('--keep')
const stop = new AbortController()
// npm passes on the Ctrl-C that the terminal sends as well: the second one must not cut the cleaning up short.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(name)))

const screen = createScreen(process.stdout)
const begun = Date.now()
void demo()

async function demo(): Promise<void> {
  const stage = await setStage()
  let failed = true
  try {
    failed = !(await play(stage, screen))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    screen.say(stop.signal.aborted ? '\nInterrupted; cleaning up.' : `\nThe demo stops here: ${why}`)
  } finally {
    await stage.close({ keepCluster: keep && !failed })
  }
  process.exit(stop.signal.aborted ? 130 : failed ? 1 : 0)
}

async function play(stage: Stage, screen: Screen): Promise<boolean> {
  const show = async (person: Person, ...words: string[]): Promise<Result> => {
    stop.signal.throwIfAborted()
    screen.prompt(person, words)
    return stage.run(person, words, { onOutput: screen.output, signal: stop.signal })
  }
  const must = async (person: Person, ...words: string[]): Promise<Result> => {
    const result = await show(person, ...words)
    if (result.status !== 0)
      throw new Error(`${words.slice(0, 3).join(' ')} ended with status ${result.status}`)
    return result
  }

  screen.heading('A cluster: three masters, three workers with a GPU each')
  await must('admin', 'arena', 'cluster', 'start', '--config', 'cluster.yaml', '--detach')
  await must('admin', 'arena', 'top', 'node')

  screen.heading('Steps 1 to 5: groups, people, permissions, quotas, volumes')
  await copyFile(join(repositoryRoot, 'examples/guide/org.yaml'), join(stage.home('admin'), 'org.yaml'))
  await show('admin', 'cat', 'org.yaml')
  await must('admin', 'arena', 'org', 'apply', '--yes')
  await must('admin', 'arena', 'group', 'list')
  for (const person of ['bob', 'tom'] as const) {
    await must('admin', 'arena', 'user', 'kubeconfig', person)
    await installKubeconfig(stage, person)
  }
  await must('admin', 'arena', 'data', 'list', '-n', 'dev1')
  await must('admin', 'arena', 'data', 'list', '-n', 'dev2')

  screen.heading('Step 6: bob')
  await must('bob', 'arena', 'data', 'list')
  await must('bob', ...guideSubmit(stage, 'tf-git-bob-01'))
  await waitForJob(stage, 'bob', 'tf-git-bob-01', ['RUNNING'], { timeoutMs: 30_000, signal: stop.signal })
  await must('bob', 'arena', 'list')
  await must('bob', ...guideSubmit(stage, 'tf-git-bob-02'))
  await must('bob', 'arena', 'list')
  await must('bob', 'arena', 'quota')
  const waiting = await noteWaiting(stage)

  screen.heading('Step 6: tom')
  const more = ['--chief-cpu=2', '--chief-memory=10Gi']
  await must('tom', 'arena', 'data', 'list')
  await must('tom', 'arena', 'list')
  await must('tom', ...guideSubmit(stage, 'tf-git-tom-01', ...more))
  await must('tom', ...guideSubmit(stage, 'tf-git-tom-02', ...more))
  for (const name of ['tf-git-tom-01', 'tf-git-tom-02'])
    await waitForJob(stage, 'tom', name, ['RUNNING', 'SUCCEEDED'], { timeoutMs: 30_000, signal: stop.signal })
  await must('tom', 'arena', 'list')

  screen.heading('The training that runs')
  const { stdout: log } = await must('bob', 'arena', 'logs', '-f', 'tf-git-bob-01')
  const accuracy = Math.max(
    0,
    ...[...log.matchAll(/accuracy[^\d]*(\d+(?:\.\d+)?)\s*%?/gi)].map((match) => asPercent(match[1] ?? '0')),
  )

  screen.heading('The GPU is free again: the job that waited starts by itself')
  const second = await waitForJob(stage, 'bob', 'tf-git-bob-02', ['RUNNING', 'SUCCEEDED'], {
    timeoutMs: 60_000,
    signal: stop.signal,
  })
  await must('bob', 'arena', 'list')

  screen.heading('One volume, two groups')
  const expectedText = `written by bob at ${new Date(begun).toISOString()}`
  const sharedText = await shareData(must, expectedText)

  screen.heading('The five goals')
  const seen: Seen = {
    waiting,
    startedByItself: second.status !== 'PENDING',
    accuracy,
    sharedText,
    expectedText,
  }
  const goals = await checkGoals(stage, seen)
  for (const goal of goals) screen.goal(goal.isProved, goal.text, goal.proof)
  const isTrained = accuracy > 90
  screen.goal(
    isTrained,
    'The training is real',
    `the best accuracy that bob's job printed is ${accuracy.toFixed(1)} %`,
  )
  const isDone = isTrained && goals.every(({ isProved }) => isProved)
  screen.say(
    `\n${isDone ? 'All five goals reached' : 'Not all goals were reached'} in ${Math.round((Date.now() - begun) / 1000)} s.`,
  )
  if (keep && isDone) showNext(stage)
  return isDone
}

/** Copies a kubeconfig to where its owner's `arena` and `kubectl` look for it. */
async function installKubeconfig(stage: Stage, person: Person): Promise<void> {
  await mkdir(join(stage.home(person), '.kube'), { recursive: true, mode: 0o700 })
  const words = ['install', '-m', '0600', `${person}.config`, join(stage.home(person), '.kube/config')]
  screen.prompt('admin', ['install', '-m', '0600', `${person}.config`, `~${person}/.kube/config`])
  const { status, output } = await stage.run('admin', words, { onOutput: screen.output })
  if (status !== 0) throw new Error(output)
}

/** Why bob's second job waits, and what is free in the cluster at that moment. */
async function noteWaiting(stage: Stage): Promise<Seen['waiting']> {
  const job = (await jobsOf(stage, 'bob')).find(({ name }) => name === 'tf-git-bob-02')
  const { stdout } = await stage.run('admin', ['arena', 'top', 'node'])
  const totals = [...stdout.matchAll(/^worker\d+\s.*$/gm)].map((match) => match[0].trim().split(/\s+/))
  const free = totals.reduce((sum, cells) => sum + Number(cells[4] ?? 0) - Number(cells[5] ?? 0), 0)
  const message = job?.status === 'RUNNING' ? '' : [job?.reason, job?.message].filter(Boolean).join(': ')
  return { message, freeGpus: free }
}

/** bob's job writes to the shared volume, tom's reads it. Returns what tom's job printed. */
async function shareData(
  must: (person: Person, ...words: string[]) => Promise<Result>,
  text: string,
): Promise<string> {
  const common = ['arena', 'submit', 'tf', '--image=busybox', '--wait']
  await must(
    'bob',
    ...common,
    '--name=share',
    '--data=department1-public-dev1:/shared',
    `echo ${text} > /shared/note.txt`,
  )
  const limits = ['--chief-cpu=1', '--chief-memory=1Gi']
  await must(
    'tom',
    ...common,
    '--name=read',
    ...limits,
    '--data=department1-public-dev2:/shared',
    'cat /shared/note.txt',
  )
  return (await must('tom', 'arena', 'logs', 'read')).stdout
}

function asPercent(text: string): number {
  const value = Number(text)
  return value <= 1 ? value * 100 : value
}

function showNext(stage: Stage): void {
  screen.say('\nThe cluster stays. Try:')
  process.stdout.write(
    [
      `  export PATH=${stage.directory}/bin:$PATH ARENA_DATA_DIR=${stage.dataDir}`,
      `  KUBECONFIG=${stage.home('bob')}/.kube/config arena get tf-git-bob-02`,
      `  KUBECONFIG=${stage.dataDir}/admin.kubeconfig kubectl get pods -A`,
      `  arena cluster reset --yes`,
      '',
    ].join('\n'),
  )
}

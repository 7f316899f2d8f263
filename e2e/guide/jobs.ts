import type { Person, Stage } from './stage.ts'

/** One job as `arena list -o json` shows it. */
export interface ListedJob {
  readonly name: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/** The jobs that a person sees. */
export async function jobsOf(stage: Stage, person: Person): Promise<readonly ListedJob[]> {
  const { status, stdout, output } = await stage.run(person, ['arena', 'list', '-o', 'json'])
  if (status !== 0) throw new Error(`arena list failed for ${person}: ${output}`)
  // The command's own output; a wrong shape shows up as a missing name below.
  return JSON.parse(stdout) as ListedJob[]
}

/** Looks until a job has one of the states; a finite number of times. */
export async function waitForJob(
  stage: Stage,
  person: Person,
  name: string,
  states: readonly string[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ListedJob> {
  const end = Date.now() + options.timeoutMs
  for (;;) {
    options.signal.throwIfAborted()
    const job = (await jobsOf(stage, person)).find((one) => one.name === name)
    if (job && states.includes(job.status)) return job
    if (job && ['FAILED', 'SUCCEEDED'].includes(job.status))
      throw new Error(
        `job ${name} is ${job.status} where ${states.join(' or ')} was expected: ${job.message ?? ''}`,
      )
    if (Date.now() > end)
      throw new Error(
        `job ${name} is ${job?.status ?? 'absent'} after ${options.timeoutMs / 1000} s: ${job?.message ?? ''}`,
      )
    await new Promise((resolve) => {
      setTimeout(resolve, 300)
    })
  }
}

/** The submit command of the guide, word for word but for the address of the repository. */
export function guideSubmit(stage: Stage, name: string, ...more: readonly string[]): string[] {
  return [
    'arena',
    'submit',
    'tf',
    `--name=${name}`,
    '--gpus=1',
    ...more,
    '--image=tensorflow/tensorflow:1.5.0-devel-gpu',
    '--sync-mode=git',
    `--sync-source=${stage.git.url}`,
    'python code/tensorflow-sample-code/tfjob/docker/mnist/main.py --max_steps 10000 --data_dir=code/tensorflow-sample-code/data',
  ]
}

import { UserError } from '../../errors.ts'
import {
  explainReason,
  type JobKind,
  type JobObject,
  type JobSpec,
  submitJob,
  type Submission,
  waitForEnd,
} from '../../jobs/index.ts'
import type { CommandContext, Input } from '../command.ts'
import { formatData, outputFormat, printable } from '../output.ts'

/** Submits a job of any kind and tells what happens next. */
export async function runSubmit<Spec extends JobSpec, T extends JobObject>(
  kind: JobKind<Spec, T>,
  input: Input,
  context: CommandContext,
): Promise<number> {
  const session = await context.connect()
  const { client } = session
  const spec = kind.readSpec(input, { namespace: session.namespace, settings: session.settings })
  const dryRun = input.flag('dry-run')
  const format = outputFormat(input)
  const submission = await submitJob(client, kind, spec, {
    dryRun,
    now: context.now(),
    workingDirectory: context.workingDirectory,
    signal: context.signal,
  })
  if (dryRun) {
    await printObjects(submission, format === 'json' ? 'json' : 'yaml', context)
    return 0
  }
  if (format === 'wide') await tell(submission, context)
  else if (format === 'name') context.print(qualifiedName(submission))
  else await printObjects(submission, format, context)
  if (!input.flag('wait')) return 0
  const end = await waitForEnd(client, submission.kind, spec, { signal: context.signal })
  if (end.state === 'FAILED') {
    throw new UserError('JOB_FAILED', end.message, {
      hint: `see: arena logs ${spec.name} -n ${spec.namespace}`,
    })
  }
  context.note(`${spec.name} ${end.state}`)
  return 0
}

function qualifiedName({ kind, name }: Submission): string {
  return `${kind.name}.${kind.resource.group}/${name}`
}

async function tell(submission: Submission, context: CommandContext): Promise<void> {
  const { kind, name, namespace, waits } = submission
  context.print(`${qualifiedName(submission)} created`)
  context.print(`The Job ${name} has been submitted successfully`)
  context.print(
    `You can run \`arena get ${name} --type ${kind.name} -n ${namespace}\` to check the job status`,
  )
  if (waits !== undefined) {
    for (const line of explainReason(waits)) context.print(printable(line))
  }
  for (const note of submission.notes) context.note(`note: ${note}`)
}

async function printObjects(
  submission: Submission,
  format: 'json' | 'yaml',
  context: CommandContext,
): Promise<void> {
  const { objects } = submission
  if (format === 'json') {
    context.print(await formatData(objects.length === 1 ? objects[0] : objects, 'json'))
    return
  }
  const documents = await Promise.all(objects.map((object) => formatData(object, 'yaml')))
  context.print(documents.join('\n---\n'))
}

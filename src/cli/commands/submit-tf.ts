import { UserError } from '../../errors.ts'
import type { Command, Input } from '../command.ts'
import { absentFeatureFlags, commonSubmitFlags, placedRoleFlags, roleFlags } from '../jobs/flags.ts'

export const submitTf: Command = {
  path: 'submit tfjob',
  aliases: ['tf'],
  summary: 'Submit a TensorFlow job.',
  description: `
With one worker and no parameter server the job is a single process, the chief. With more, every process finds the
others through the environment variable TF_CONFIG.

Examples:
  arena submit tf --name=mnist --gpus=1 --image=tensorflow/tensorflow:2.16.1-gpu "python train.py"
  arena submit tf --name=mnist --gpus=1 --chief-cpu=2 --chief-memory=10Gi --image=IMAGE \\
    --sync-mode=git --sync-source=https://HOST/code.git "python code/code/main.py"
  arena submit tf --name=big --workers=2 --ps=1 --gpus=1 --image=IMAGE --data=dev1-public:/data "python train.py"`,
  group: 'jobs',
  arguments: [{ name: 'COMMAND', meaning: 'What the job runs, best in quotes.', variadic: true }],
  flags: [
    ...commonSubmitFlags,
    { name: 'ps', type: 'integer', default: 0, meaning: 'Number of parameter servers.' },
    { name: 'ps-gpus', type: 'integer', default: 0, meaning: 'GPUs of each parameter server.' },
    { name: 'chief', type: 'boolean', default: false, meaning: 'Add a chief.' },
    { name: 'evaluator', type: 'boolean', default: false, meaning: 'Add an evaluator.' },
    {
      name: 'success-policy',
      type: 'string',
      default: 'ChiefWorker',
      choices: ['ChiefWorker', 'AllWorkers', ''],
      value: 'POLICY',
      meaning: 'When the job has succeeded: its chief or first worker, or all workers.',
    },
    {
      name: 'role-sequence',
      type: 'string',
      value: 'ROLES',
      meaning: 'Order in which roles start, as in ps,worker.',
    },
    ...roleFlags('chief', { title: 'the chief', oldPrefix: 'Chief', hasPort: true }),
    ...roleFlags('worker', { title: 'each worker', oldPrefix: 'worker', hasPort: true }),
    ...placedRoleFlags('worker', 'workers'),
    ...roleFlags('ps', { title: 'each parameter server', oldPrefix: 'ps', hasPort: true }),
    ...placedRoleFlags('ps', 'parameter servers'),
    ...roleFlags('evaluator', { title: 'the evaluator', oldPrefix: 'evaluator', hasPort: false }),
    ...absentFeatureFlags,
  ],
  async run(input, context) {
    const [{ tfJob }, { runSubmit }] = await Promise.all([
      import('../../jobs/index.ts'),
      import('../jobs/submit.ts'),
    ])
    for (const note of absentFeatures(input)) context.note(`note: ${note}`)
    return runSubmit(tfJob, input, context)
  },
}

function absentFeatures(input: Input): string[] {
  if (input.isGiven('model-name') && !input.isGiven('model-source')) {
    throw new UserError('USAGE', 'flag --model-name is given without --model-source', {
      hint: 'say where the model comes from with --model-source, or leave --model-name out',
    })
  }
  return [
    ...(input.flag('tensorboard')
      ? [
          `no TensorBoard is started; read the events with: tensorboard --logdir ${input.text('logdir') ?? ''}`,
        ]
      : []),
    ...(input.isGiven('model-name') ? ['the model is not registered: there is no model registry'] : []),
    ...(input.isGiven('starting-timeout') ? ['--starting-timeout has no effect: waiting jobs are kept'] : []),
  ]
}

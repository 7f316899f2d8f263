import type { Flag } from '../command.ts'
import { outputFlag } from '../output.ts'

/** `--type`, as every command that looks for jobs takes it. */
export const typeFlag: Flag = {
  name: 'type',
  short: 'T',
  type: 'string',
  value: 'TYPE',
  meaning: 'Only jobs of this type, as in tfjob.',
}

/** `-A`, with its old spelling. */
export const allNamespacesFlags: readonly Flag[] = [
  {
    name: 'all-namespaces',
    short: 'A',
    type: 'boolean',
    default: false,
    meaning: 'All groups instead of one; needs the right to look at all of them.',
  },
  { name: 'allNamespaces', type: 'boolean', deprecatedFor: 'all-namespaces', meaning: 'Old spelling.' },
]

function old(name: string, instead: string, type: Flag['type'] = 'string'): Flag {
  return { name, type, deprecatedFor: instead, meaning: `Old spelling of --${instead}.` }
}

/** What every kind of job can be asked for. Names, defaults and meanings are those of the original tool. */
export const commonSubmitFlags: readonly Flag[] = [
  { name: 'name', type: 'string', required: true, value: 'NAME', meaning: 'Name of the job.' },
  { name: 'image', type: 'string', value: 'IMAGE', meaning: 'Container image.' },
  { name: 'gpus', type: 'integer', default: 0, meaning: 'GPUs of each worker, chief and evaluator.' },
  { name: 'workers', type: 'integer', default: 1, meaning: 'Number of workers.' },
  {
    name: 'data',
    short: 'd',
    type: 'strings',
    value: 'VOLUME:PATH',
    meaning: 'Mount a volume of the group at a path; see arena data list.',
  },
  {
    name: 'sync-mode',
    type: 'string',
    value: 'MODE',
    choices: ['git', 'rsync', ''],
    meaning: 'How to fetch code into <working-dir>/code before the job starts.',
  },
  { name: 'sync-source', type: 'string', value: 'SOURCE', meaning: 'Repository URL, or rsync source.' },
  {
    name: 'sync-image',
    type: 'string',
    value: 'IMAGE',
    meaning: 'Image with git or rsync that fetches the code.',
  },
  {
    name: 'env',
    short: 'e',
    type: 'strings',
    value: 'NAME=VALUE',
    meaning: 'Environment variable; GIT_SYNC_BRANCH and GIT_SYNC_REV choose what git fetches.',
  },
  { name: 'working-dir', type: 'string', default: '/root', value: 'DIR', meaning: 'Working directory.' },
  {
    name: 'shell',
    type: 'string',
    default: 'sh',
    value: 'SHELL',
    meaning: 'Runs the command, as SHELL -c COMMAND.',
  },
  {
    name: 'share-memory',
    type: 'string',
    default: '2Gi',
    value: 'SIZE',
    meaning: 'Size of /dev/shm.',
  },
  {
    name: 'label',
    short: 'l',
    type: 'strings',
    value: 'KEY=VALUE',
    meaning: 'Label of the job and its pods.',
  },
  {
    name: 'annotation',
    short: 'a',
    type: 'strings',
    value: 'KEY=VALUE',
    meaning: 'Annotation of the job and its pods.',
  },
  { name: 'selector', type: 'strings', value: 'KEY=VALUE', meaning: 'Run only on nodes with this label.' },
  {
    name: 'toleration',
    type: 'strings',
    value: 'KEY=VALUE:EFFECT',
    meaning: 'Run also on nodes with this taint; all for every taint.',
  },
  { name: 'priority', short: 'p', type: 'string', value: 'CLASS', meaning: 'Priority class.' },
  { name: 'scheduler', type: 'string', value: 'NAME', meaning: 'Scheduler that places the pods.' },
  { name: 'gang', type: 'boolean', default: false, meaning: 'Start all pods together or none.' },
  { name: 'queue', type: 'boolean', default: false, meaning: 'Leave it to kube-queue when the job starts.' },
  {
    name: 'device',
    type: 'strings',
    value: 'RESOURCE=AMOUNT',
    meaning: 'Other devices, by resource name.',
  },
  { name: 'rdma', type: 'boolean', default: false, meaning: 'One RDMA device for each pod.' },
  {
    name: 'image-pull-policy',
    type: 'string',
    default: 'Always',
    value: 'POLICY',
    choices: ['Always', 'IfNotPresent', 'Never'],
    meaning: 'When to fetch the image.',
  },
  { name: 'image-pull-secret', type: 'strings', value: 'NAME', meaning: 'Secret to fetch the image with.' },
  {
    name: 'config-file',
    type: 'strings',
    value: 'FILE[:PATH]',
    meaning: 'Local file to put into the container.',
  },
  {
    name: 'data-dir',
    type: 'strings',
    value: 'DIR[:PATH]',
    meaning: 'Directory of the node to mount, where allowed.',
  },
  { name: 'hostNetwork', type: 'boolean', default: false, meaning: "Use the node's network, where allowed." },
  {
    name: 'hostIPC',
    type: 'boolean',
    default: false,
    meaning: "Use the node's IPC namespace, where allowed.",
  },
  { name: 'hostPID', type: 'boolean', default: false, meaning: "See the node's processes, where allowed." },
  {
    name: 'clean-task-policy',
    type: 'string',
    default: 'Running',
    value: 'POLICY',
    choices: ['None', 'Running', 'All'],
    meaning: 'Which pods go when the job ends.',
  },
  {
    name: 'running-timeout',
    type: 'string',
    default: '0s',
    value: 'DURATION',
    meaning: 'End the job after this time, as in 2h30m; 0s for never.',
  },
  {
    name: 'ttl-after-finished',
    type: 'string',
    default: '0s',
    value: 'DURATION',
    meaning: 'Delete the job this long after its end; 0s for never.',
  },
  { name: 'retry', type: 'integer', default: 0, meaning: 'Restarts before the job counts as failed.' },
  {
    name: 'wait',
    type: 'boolean',
    default: false,
    meaning: 'Return when the job has ended; fail if it failed.',
  },
  {
    name: 'dry-run',
    type: 'boolean',
    default: false,
    meaning: 'Check and print the objects, create nothing.',
  },
  outputFlag,
  old('workingDir', 'working-dir'),
  old('dataDir', 'data-dir', 'strings'),
  old('syncMode', 'sync-mode'),
  old('syncSource', 'sync-source'),
  old('syncImage', 'sync-image'),
  old('cleanTaskPolicy', 'clean-task-policy'),
]

/** Flags of the original tool for things that are not there: accepted, and told so. */
export const absentFeatureFlags: readonly Flag[] = [
  {
    name: 'tensorboard',
    type: 'boolean',
    default: false,
    meaning: 'Not available: the job runs, but no TensorBoard is started.',
  },
  { name: 'tensorboard-image', type: 'string', value: 'IMAGE', meaning: 'Not available.' },
  { name: 'logdir', type: 'string', default: '/training_logs', value: 'DIR', meaning: 'Not available.' },
  { name: 'model-name', type: 'string', value: 'NAME', meaning: 'Not available: no model registry.' },
  { name: 'model-source', type: 'string', value: 'URI', meaning: 'Not available: no model registry.' },
  {
    name: 'starting-timeout',
    type: 'string',
    default: '0s',
    value: 'DURATION',
    meaning: 'Not available: waiting jobs are kept.',
  },
  old('tensorboardImage', 'tensorboard-image'),
]

/** CPU, memory, selector and port of one role of a TFJob, with their old spellings. */
export function roleFlags(
  role: string,
  of: { readonly title: string; readonly oldPrefix: string; readonly hasPort: boolean },
): readonly Flag[] {
  const amount = (name: string, meaning: string): Flag => ({
    name: `${role}-${name}`,
    type: 'string',
    value: 'AMOUNT',
    meaning: `${meaning} of ${of.title}.`,
  })
  return [
    amount('cpu', 'CPUs'),
    amount('cpu-limit', 'Most CPUs'),
    amount('memory', 'Memory'),
    amount('memory-limit', 'Most memory'),
    {
      name: `${role}-selector`,
      type: 'strings',
      value: 'KEY=VALUE',
      meaning: `Node label for ${of.title}, in place of --selector.`,
    },
    ...(of.hasPort
      ? [
          {
            name: `${role}-port`,
            type: 'integer',
            default: 0,
            meaning: `Port of ${of.title}; 0 for 2222.`,
          } as const,
          old(`${role}Port`, `${role}-port`, 'integer'),
        ]
      : []),
    old(`${of.oldPrefix}Cpu`, `${role}-cpu`),
    old(`${of.oldPrefix}Memory`, `${role}-memory`),
  ]
}

/** Image and placement of workers or parameter servers. */
export function placedRoleFlags(role: 'worker' | 'ps', title: string): readonly Flag[] {
  return [
    { name: `${role}-image`, type: 'string', value: 'IMAGE', meaning: `Image of ${title}; default --image.` },
    {
      name: `${role}-affinity-policy`,
      type: 'string',
      default: 'none',
      choices: ['none', 'spread', 'binpack'],
      value: 'POLICY',
      meaning: `Spread ${title} over nodes, or pack them.`,
    },
    {
      name: `${role}-affinity-constraint`,
      type: 'string',
      default: 'preferred',
      choices: ['preferred', 'required'],
      value: 'CONSTRAINT',
      meaning: 'Whether that is a wish or a must.',
    },
    old(`${role}Image`, `${role}-image`),
  ]
}

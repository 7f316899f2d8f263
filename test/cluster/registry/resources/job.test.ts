import { describe, expect, it } from 'vitest'
import { cronJobs } from '../../../../src/cluster/registry/resources/cron-job.ts'
import { jobs } from '../../../../src/cluster/registry/resources/job/job.ts'
import { at, type Body, changeFaults, created, createFaults, put, row, updateFaults } from './drive.ts'

const template = (spec: Body = {}): Body => ({
  spec: { restartPolicy: 'Never', containers: [{ name: 'm', image: 'busybox' }], ...spec },
})
const job = (spec: Body = {}, pod: Body = {}): Body => ({
  metadata: { name: 'one' },
  spec: { template: template(pod), ...spec },
})
const uid = '11111111-2222-3333-4444-555555555555'

describe('a new job', () => {
  it('is completed and given a selector for its own pods', () => {
    const object = created(jobs, job())
    expect(object['spec']).toMatchObject({
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      completions: 1,
      manualSelector: false,
      parallelism: 1,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      suspend: false,
    })
    const identity = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'one',
      'controller-uid': uid,
      'job-name': 'one',
    }
    expect(at(object, 'spec.template.metadata.labels')).toEqual(identity)
    expect(object.metadata.labels).toEqual(identity)
    expect(object['status']).toEqual({})
  })

  it('counts failures of every index, not of all, when asked to', () => {
    const object = created(jobs, job({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 }))
    expect(at(object, 'spec.backoffLimit')).toBe(2147483647)
  })

  it('lets any number of its pods succeed when only their number is given', () => {
    const object = created(jobs, job({ parallelism: 3 }))
    expect(at(object, 'spec.completions')).toBeUndefined()
    expect(row(jobs, object)['Completions']).toBe('0/1 of 3')
  })

  it.each<[string, Body, string[]]>([
    [
      'pods that restart for ever',
      job({}, { restartPolicy: 'Always' }),
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'a negative number of pods',
      job({ parallelism: -1 }),
      ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'indexes but no number of them',
      job({ completionMode: 'Indexed', parallelism: 1 }),
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      "another job's labels",
      job({
        template: { ...template(), metadata: { labels: { 'job-name': 'other' } } },
      }),
      [
        `spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"${uid}","batch.kubernetes.io/job-name":"one","controller-uid":"${uid}","job-name":"other"}: must be 'one'`,
      ],
    ],
    [
      'exit codes out of order',
      job({
        podFailurePolicy: {
          rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3, 0] } }],
        },
      }),
      [
        'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
        'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0]: must be ordered',
      ],
    ],
    [
      'a name too long for its last pod',
      {
        metadata: { name: 'a'.repeat(62) },
        spec: { template: template(), completionMode: 'Indexed', completions: 11 },
      },
      [
        `metadata.name: Invalid value: "${'a'.repeat(62)}": will not able to create pod with invalid DNS label: ${'a'.repeat(62)}-10`,
      ],
    ],
    [
      'a success policy nobody can meet',
      job({
        completionMode: 'Indexed',
        completions: 3,
        successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 3 }] },
      }),
      [
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
      ],
    ],
  ])('is refused with %s', (_title, body, faults) => {
    expect(createFaults(jobs, body)).toEqual(faults)
  })
})

describe('a changed job', () => {
  it('stays as it is once it runs', () => {
    expect(
      updateFaults(jobs, job({ completionMode: 'Indexed', completions: 2 }), (object) =>
        put(object, 'spec.completionMode', 'NonIndexed'),
      ),
    ).toEqual(['spec.completionMode: Invalid value: "NonIndexed": field is immutable'])
    const [fault] = updateFaults(jobs, job(), (object) =>
      put(object, 'spec.template.spec.nodeSelector', { disk: 'fast' }),
    )
    expect(fault).toMatch(/^spec\.template: Invalid value: \{.*\}: field is immutable$/)
  })

  it('may be suspended and run with another number of pods', () => {
    const faults = updateFaults(jobs, job(), (object) => {
      put(object, 'spec.suspend', true)
      put(object, 'spec.parallelism', 5)
    })
    expect(faults).toEqual([])
  })

  it('may be told where and with what to run while it waits', () => {
    const faults = updateFaults(jobs, job({ suspend: true }), (object) => {
      put(object, 'spec.template.spec.nodeSelector', { disk: 'fast' })
      put(object, 'spec.template.spec.tolerations', [{ key: 'gpu', operator: 'Exists' }])
      put(object, 'spec.template.spec.affinity', {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
          },
        },
      })
      put(object, 'spec.template.metadata.annotations', { queue: 'night' })
      put(object, 'spec.template.spec.containers.0.resources', { requests: { cpu: '2' } })
    })
    expect(faults).toEqual([])
  })

  it('may not be given other work while it waits', () => {
    const faults = updateFaults(jobs, job({ suspend: true }), (object) =>
      put(object, 'spec.template.spec.containers.0.image', 'other'),
    )
    expect(faults).toHaveLength(1)
  })

  it('grows as a whole when it is indexed', () => {
    const indexed = job({ completionMode: 'Indexed', completions: 2, parallelism: 2 })
    expect(updateFaults(jobs, indexed, (object) => put(object, 'spec.completions', 3))).toEqual([
      'spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism',
    ])
    const both = (object: object): void => {
      put(object, 'spec.completions', 3)
      put(object, 'spec.parallelism', 3)
    }
    expect(updateFaults(jobs, indexed, both)).toEqual([])
  })
})

describe("a job's status", () => {
  const condition = (type: string): Body => ({ type, status: 'True' })
  const ended = {
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:05:30Z',
    succeeded: 1,
    conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
  }

  it('reports an end that was announced', () => {
    const object = created(jobs, job())
    expect(changeFaults(jobs, object, (next) => put(next, 'status', ended), 'status')).toEqual([])
  })

  it('refuses an end out of nowhere', () => {
    const object = created(jobs, job())
    const status = { conditions: [condition('Failed')] }
    expect(changeFaults(jobs, object, (next) => put(next, 'status', status), 'status')).toEqual([
      'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
      'status.startTime: Required value: startTime is required for finished job',
    ])
  })

  it('does not forget pods that have failed', () => {
    const object = created(jobs, job())
    put(object, 'status.failed', 2)
    expect(changeFaults(jobs, object, (next) => put(next, 'status.failed', 1), 'status')).toEqual([
      'status.failed: Invalid value: 1: cannot decrease the failed counter',
    ])
  })

  it('is summed up in a table', () => {
    const object = created(jobs, job())
    expect(row(jobs, object)).toMatchObject({
      Name: 'one',
      Status: 'Running',
      Completions: '0/1',
      Duration: '',
      Age: '60m',
      Containers: 'm',
      Images: 'busybox',
      Selector: `batch.kubernetes.io/controller-uid=${uid}`,
    })
    put(object, 'status', ended)
    expect(row(jobs, object)).toMatchObject({
      Status: 'Complete',
      Completions: '1/1',
      Duration: '5m30s',
    })
  })
})

describe('a cron job', () => {
  const cronJob = (spec: Body = {}, name = 'nightly'): Body => ({
    metadata: { name },
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: template() } }, ...spec },
  })

  it('is completed', () => {
    expect(created(cronJobs, cronJob())['spec']).toMatchObject({
      concurrencyPolicy: 'Allow',
      failedJobsHistoryLimit: 1,
      successfulJobsHistoryLimit: 3,
      suspend: false,
      jobTemplate: { spec: { template: { spec: { dnsPolicy: 'ClusterFirst' } } } },
    })
  })

  it('leaves to each job what only jobs have', () => {
    expect(Object.keys(at(created(cronJobs, cronJob()), 'spec.jobTemplate.spec') as object)).toEqual([
      'template',
    ])
  })

  it.each<[string, Body, string[]]>([
    ['no schedule', cronJob({ schedule: '' }), ['spec.schedule: Required value']],
    [
      'a schedule of four fields',
      cronJob({ schedule: '* * * *' }),
      ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
    ],
    [
      'a minute that is none',
      cronJob({ schedule: '60 * * * *' }),
      ['spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60'],
    ],
    [
      'a time zone in its schedule',
      cronJob({ schedule: 'TZ=UTC 0 * * * *' }),
      [
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      'a time zone nobody knows',
      cronJob({ timeZone: 'Mars/Olympus' }),
      ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
    ],
    [
      'a policy nobody knows',
      cronJob({ concurrencyPolicy: 'Maybe' }),
      ['spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"'],
    ],
    [
      'too long a name',
      cronJob({}, 'a'.repeat(53)),
      [`metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`],
    ],
    [
      'a selector for its jobs',
      cronJob({
        jobTemplate: { spec: { template: template(), selector: { matchLabels: { a: 'b' } } } },
      }),
      [
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
      ],
    ],
  ])('is refused with %s', (_title, body, faults) => {
    expect(createFaults(cronJobs, body)).toEqual(faults)
  })

  it('is summed up in a table', () => {
    const object = created(cronJobs, cronJob({ timeZone: 'Europe/Berlin' }))
    expect(row(cronJobs, object)).toMatchObject({
      Schedule: '0 3 * * *',
      Timezone: 'Europe/Berlin',
      Suspend: 'False',
      Active: 0,
      'Last Schedule': '<none>',
      Selector: '<none>',
    })
  })
})

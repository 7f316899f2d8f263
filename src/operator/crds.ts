import type { CustomResourceDefinition } from '../kube/index.ts'

/** As the wire has it: the published types spell the extensions with underscores. */
interface Schema {
  readonly type?: string
  readonly format?: string
  readonly enum?: string[]
  readonly minimum?: number
  readonly required?: string[]
  readonly properties?: Record<string, Schema>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly anyOf?: Schema[]
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
}

const text: Schema = { type: 'string' }
const time: Schema = { type: 'string', format: 'date-time' }
const count: Schema = { type: 'integer', format: 'int32', minimum: 0 }
const flag: Schema = { type: 'boolean' }

function object(properties: Record<string, Schema>, required: string[] = []): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}

const runPolicy = object({
  activeDeadlineSeconds: { type: 'integer', format: 'int64', minimum: 0 },
  backoffLimit: count,
  cleanPodPolicy: { type: 'string', enum: ['All', 'Running', 'None'] },
  managedBy: text,
  schedulingPolicy: object({
    minAvailable: count,
    minResources: {
      type: 'object',
      additionalProperties: {
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        'x-kubernetes-int-or-string': true,
      },
    },
    priorityClass: text,
    queue: text,
    scheduleTimeoutSeconds: count,
  }),
  suspend: flag,
  ttlSecondsAfterFinished: count,
})

const replicaSpec = object(
  {
    replicas: count,
    restartPolicy: { type: 'string', enum: ['Always', 'OnFailure', 'Never', 'ExitCode'] },
    // Pods are checked when they are made: the server knows them better than a copy of their schema would.
    template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
  ['template'],
)

const jobStatus = object({
  completionTime: time,
  conditions: {
    type: 'array',
    items: object(
      {
        lastTransitionTime: time,
        lastUpdateTime: time,
        message: text,
        reason: text,
        status: text,
        type: text,
      },
      ['status', 'type'],
    ),
  },
  lastReconcileTime: time,
  replicaStatuses: {
    type: 'object',
    additionalProperties: object({ active: count, failed: count, selector: text, succeeded: count }),
  },
  startTime: time,
})

const roles = ['Chief', 'Evaluator', 'Master', 'PS', 'Worker']

const tfJobs: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'tfjobs.kubeflow.org' },
  spec: {
    group: 'kubeflow.org',
    scope: 'Namespaced',
    names: { kind: 'TFJob', listKind: 'TFJobList', plural: 'tfjobs', singular: 'tfjob' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: [
          { name: 'State', type: 'string', jsonPath: '.status.conditions[-1:].type' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.tfReplicaSpecs.Worker.replicas',
            statusReplicasPath: '.status.replicaStatuses.Worker.active',
            labelSelectorPath: '.status.replicaStatuses.Worker.selector',
          },
        },
        schema: {
          openAPIV3Schema: object(
            {
              apiVersion: text,
              kind: text,
              metadata: { type: 'object' },
              spec: object(
                {
                  enableDynamicWorker: flag,
                  runPolicy,
                  successPolicy: { type: 'string', enum: ['', 'AllWorkers'] },
                  tfReplicaSpecs: object(Object.fromEntries(roles.map((role) => [role, replicaSpec]))),
                },
                ['tfReplicaSpecs'],
              ),
              status: jobStatus,
            },
            ['spec'],
          ),
        },
      },
    ],
  },
}

/** The custom resource definitions of the kinds that the operator runs, as Kubeflow's training operator names them. */
export function operatorCrds(): CustomResourceDefinition[] {
  return [structuredClone(tfJobs)]
}

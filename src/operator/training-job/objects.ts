import {
  apiVersionOf,
  type Container,
  type OwnerReference,
  type Pod,
  type PodTemplateSpec,
  type Service,
} from '../../kube/index.ts'
import type { Role, StoredJob, TrainingJobKind } from './kind.ts'
import { jobRoleLabel, replicaIndexLabel, replicaName, roleLabels } from './labels.ts'

/** The pod of one replica. */
export function buildPod(kind: TrainingJobKind, job: StoredJob, role: Role, index: number): Pod {
  const { metadata, spec } = role.template
  const isLeader = kind.isLeader(kind.roles(job), role, index)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: replicaName(job, role, index),
      ...(job.metadata.namespace && { namespace: job.metadata.namespace }),
      labels: {
        ...metadata?.labels,
        ...roleLabels(kind, job, role),
        [replicaIndexLabel]: String(index),
        ...(isLeader && { [jobRoleLabel]: 'master' }),
      },
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      ownerReferences: [ownerReference(kind, job)],
    },
    spec: {
      ...spec,
      containers: (spec?.containers ?? []).map((container) =>
        container.name === kind.container ? trainingContainer(kind, job, role, index, container) : container,
      ),
      // A pod that must be restarted for some exit codes only is restarted by its controller.
      restartPolicy: role.restartPolicy === 'ExitCode' ? 'Never' : role.restartPolicy,
    },
  }
}

/** The headless service under whose name the replica is found. */
export function buildService(kind: TrainingJobKind, job: StoredJob, role: Role, index: number): Service {
  const labels = { ...roleLabels(kind, job, role), [replicaIndexLabel]: String(index) }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: replicaName(job, role, index),
      ...(job.metadata.namespace && { namespace: job.metadata.namespace }),
      labels,
      ownerReferences: [ownerReference(kind, job)],
    },
    spec: {
      clusterIP: 'None',
      selector: labels,
      // Replicas must find each other while they start: none of them is ready before all of them are.
      publishNotReadyAddresses: true,
      ports: portsOf(kind, role).map(({ name, containerPort }) => ({
        ...(name !== undefined && { name }),
        port: containerPort,
        targetPort: containerPort,
      })),
    },
  }
}

/** The port under which the replicas of a role are found. */
export function trainingPort(kind: TrainingJobKind, role: Role): number {
  const named = portsOf(kind, role).find((port) => port.name === kind.port.name)
  return named?.containerPort ?? kind.port.number
}

function trainingContainer(
  kind: TrainingJobKind,
  job: StoredJob,
  role: Role,
  index: number,
  container: Container,
): Container {
  const environment = kind.environment(job, role, index)
  return {
    ...container,
    ports: portsOf(kind, role),
    ...(environment.length > 0 && { env: [...(container.env ?? []), ...environment] }),
  }
}

function portsOf(kind: TrainingJobKind, role: Role): NonNullable<Container['ports']> {
  const ports = trainingContainerOf(kind, role.template)?.ports ?? []
  return ports.some((port) => port.name === kind.port.name)
    ? ports
    : [...ports, { name: kind.port.name, containerPort: kind.port.number, protocol: 'TCP' }]
}

export function trainingContainerOf(kind: TrainingJobKind, template: PodTemplateSpec): Container | undefined {
  return template.spec?.containers.find((container) => container.name === kind.container)
}

function ownerReference(kind: TrainingJobKind, job: StoredJob): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind.type),
    kind: kind.type.kind,
    name: job.metadata.name,
    uid: job.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  }
}

import { internalError, type KubeObject } from '../../kube/index.ts'
import {
  ageColumn,
  type Column,
  type Encoded,
  nameColumn,
  type ResourceDefinition,
} from '../registry/index.ts'
import { type AnswerForm, objectAnswer, plainAnswer } from './answers.ts'
import type { ApiResponse } from './message.ts'
import { readScale } from './scale.ts'

/**
 * The scale of an object, in the form asked for.
 *
 * @throws {StatusError} `InternalError`, as in Kubernetes, for a custom resource that does not say how many it wants.
 */
export async function scaleAnswer(
  resource: ResourceDefinition,
  object: Encoded,
  form: AnswerForm,
): Promise<ApiResponse> {
  const value = readScale(resource, object)
  if (resource.isCustom && (value['spec'] as { replicas?: number }).replicas === undefined)
    throw internalError(
      `the spec replicas field ${JSON.stringify(resource.scale?.specReplicasPath)} does not exist`,
    )
  if (form.wanted.as === undefined) return plainAnswer(200, value, form)
  const scale = { ...resource, group: 'autoscaling', version: 'v1', kind: 'Scale' }
  // Custom kinds show their own columns, with what a scale has of them.
  const shown = resource.isCustom ? scale : { ...scale, columns }
  return objectAnswer(200, shown, { value, json: JSON.stringify(value) }, form)
}

const columns: readonly Column[] = [
  nameColumn,
  countColumn('Desired', 'replicas is the desired number of instances for the scaled object.', 'spec'),
  countColumn(
    'Available',
    'replicas is the actual number of observed instances of the scaled object.',
    'status',
  ),
  ageColumn,
]

function countColumn(name: string, description: string, half: 'spec' | 'status'): Column {
  return {
    name,
    type: 'integer',
    description,
    priority: 0,
    cell: (scale: KubeObject) => (scale[half] as { replicas?: number } | undefined)?.replicas ?? 0,
  }
}

import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import type { ResourceRequest } from '../../request.ts'
import type { ScalePaths } from '../../resource.ts'
import { podSpecWarnings } from '../../validation/pod/warnings.ts'
import { ageColumn, column, containerColumns, nameColumn, wideColumn } from '../columns.ts'
import type { ColumnOf, Of } from '../define.ts'

/** Where kinds that keep a number of pods hold what the `scale` subresource shows. */
export const replicasScale: ScalePaths = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.spec.selector',
}

/** Tells whoever makes a kind that keeps pods what is odd about those. */
export function warnOfTemplate(template: PodTemplateSpec | undefined, request: ResourceRequest): void {
  const { spec } = template ?? {}
  for (const text of spec ? podSpecWarnings('spec.template.spec', spec) : []) request.warn(text)
}

interface KeptPods {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplateSpec } | undefined
  readonly status?: { readonly replicas?: number; readonly readyReplicas?: number } | undefined
}

/** `2/3`: of the pods that a kind with a rollout keeps. */
export const readyColumn: ColumnOf<KeptPods> = column(
  'Ready',
  'Number of the pod with ready state',
  ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
)

/** What each column means, in the words of the kind. */
interface Words {
  readonly desired: string
  readonly current: string
  readonly ready: string
  readonly selector: string
}

/** Columns of kinds that keep pods by themselves, and whose pods they are. */
export function keptPodsColumns<T extends KeptPods>(
  words: Words,
  selectorOf: (object: Of<T>) => string,
): ColumnOf<T>[] {
  return [
    nameColumn,
    column('Desired', words.desired, ({ spec }: KeptPods) => spec?.replicas ?? 0, 'integer'),
    column('Current', words.current, ({ status }: KeptPods) => status?.replicas ?? 0, 'integer'),
    column('Ready', words.ready, ({ status }: KeptPods) => status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...containerColumns<KeptPods>(({ spec }) => spec?.template?.spec?.containers ?? []),
    wideColumn<T>('Selector', words.selector, selectorOf),
  ]
}

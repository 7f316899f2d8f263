import type { PodTemplate } from 'kubernetes-types/core/v1.js'
import { validatePodTemplate } from '../validation/pod/pod-spec.ts'
import { column, labelsText, nameColumn } from './columns.ts'
import { define } from './define.ts'
import { setPodSpecDefaults } from './pod/defaults.ts'

export const podTemplates = define<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  tracksGeneration: true,
  deleteReturnsObject: true,
  setDefaults(object) {
    object.template ??= {}
    object.template.spec ??= { containers: [] }
    setPodSpecDefaults(object.template.spec)
  },
  validate: ({ template = {} }) => validatePodTemplate('template', template),
  columns: [
    nameColumn,
    column('Containers', 'Names of each container in the template.', ({ template }) =>
      (template?.spec?.containers ?? []).map(({ name }) => name).join(','),
    ),
    column('Images', 'Images referenced by each container in the template.', ({ template }) =>
      (template?.spec?.containers ?? []).map(({ image }) => image ?? '').join(','),
    ),
    column('Pod Labels', 'The labels for the pod template.', ({ template }) =>
      labelsText(template?.metadata?.labels),
    ),
  ],
})

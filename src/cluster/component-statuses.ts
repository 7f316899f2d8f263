import { type KubeObject, notFound } from '../kube/index.ts'
import type { Column, ResourceDefinition } from './registry/index.ts'
import { nameColumn } from './registry/resources/columns.ts'
import { schemaFor } from './registry/schema/index.ts'

/** The parts of a control plane, all in this process: whoever gets an answer knows that they are well. */
const components: readonly KubeObject[] = ['controller-manager', 'etcd-0', 'scheduler'].map((name) => ({
  metadata: { name },
  conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
}))

/** `componentstatuses`, which older tools still ask for. */
export const componentStatuses: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  singular: 'componentstatus',
  namespaced: false,
  shortNames: ['cs'],
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  schema: schemaFor('', 'v1', 'ComponentStatus'),
  hasStatus: false,
  columns: [
    nameColumn,
    column('Status', 'Status of the component conditions', 'Healthy'),
    column('Message', 'Message of the component conditions', 'ok'),
    column('Error', 'Error of the component conditions', ''),
  ],
  computed: {
    async get({ name = '' }) {
      const found = components.find(({ metadata }) => metadata.name === name)
      if (found === undefined) throw notFound({ kind: 'componentstatuses', name })
      return found
    },
    list: async (_request, selection) => components.filter((one) => selection.matches(one)),
  },
}

function column(name: string, description: string, cell: string): Column {
  return { name, type: 'string', description, priority: 0, cell: () => cell }
}

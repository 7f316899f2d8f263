import type { Admission, Admitter } from '../registry/index.ts'
import { type Ingress, type KubeObject, newestMarked } from '../../kube/index.ts'
import type { AdmissionContext } from './context.ts'
import { resourceOf } from './refusal.ts'

const classes = 'networking.k8s.io/ingressclasses'
const marks = ['ingressclass.kubernetes.io/is-default-class']

/** An ingress that names no class, neither in its field nor in the old annotation, gets the cluster's default. */
export function defaultIngressClass({ reader }: Pick<AdmissionContext, 'reader'>): Admitter {
  return {
    name: 'DefaultIngressClass',
    mutate(admission: Admission): void {
      const { operation, request, object } = admission
      if (operation !== 'CREATE' || request.subresource !== undefined || object === undefined) return
      if (resourceOf(admission) !== 'networking.k8s.io/ingresses') return
      const { spec } = asIngress(object)
      if (spec === undefined || spec.ingressClassName !== undefined) return
      if (object.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
      const name = newestMarked(reader.list(classes), marks)
      if (name !== undefined) spec.ingressClassName = name
    },
  }
}

function asIngress(object: KubeObject): Ingress {
  return object as Ingress
}

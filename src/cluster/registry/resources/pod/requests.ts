/** What a pod asks for, what it may use at most, and its class, as quota and scheduling count them. */
export {
  type Amounts,
  podLimits,
  podRequests,
  type QosClass,
  qosClass,
} from '../../../../kube/index.ts'

/** Arena's own controllers: pure API clients, for the embedded cluster as well as beside any Kubernetes. */
export { operatorClusterRole, operatorRoleName } from './cluster-role.ts'
export { operatorCrds } from './crds.ts'
export { type Operator, type OperatorOptions, startOperator } from './operator.ts'

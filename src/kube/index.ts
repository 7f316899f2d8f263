/** The Kubernetes wire: kinds, client, status, patch, quantity, kubeconfig. The only code that knows it. */
export * from './client.ts'
export * from './object.ts'
export * from './status.ts'

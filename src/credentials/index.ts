/** Tokens and kubeconfig files of users, and the renewal of both. */
export type { Account, ClusterAddress } from './account.ts'
export { credentialSource, pluginAnswer, type PluginRequest, readPluginRequest } from './exec-plugin.ts'
export { issueFirstToken, issueStaticToken } from './issue.ts'
export { type KubeconfigContent, kubeconfigText, pluginExtension } from './kubeconfig-file.ts'
export { type CredentialSource, type CredentialWorld, currentToken } from './renewal.ts'
export type { HeldToken } from './token.ts'

export {
  type Auditor,
  type AuditPolicy,
  createAuditor,
  type LogFile,
  openLogFile,
  parseAuditPolicy,
  usualPolicy,
} from './audit/index.ts'
export { groupVersions } from './discovery.ts'
export { groupPriority, versionPriority } from './group-priority.ts'
export { createHandler, type Documents, type HandlerParts, type StreamServer } from './handler.ts'
export { localTransport } from './local.ts'
export { type ApiHandler, type ApiRequest, type ApiResponse, jsonAnswer } from './message.ts'
export { openApiDocuments, type OpenApiSource } from './openapi/index.ts'
export { type ApiServer, serve, type ServerOptions } from './server.ts'
export { createStreamServer, createUpgradeServer } from './streams/index.ts'

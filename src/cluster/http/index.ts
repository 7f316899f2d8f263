export { createHandler, type Documents, type HandlerParts, type StreamServer } from './handler.ts'
export { localTransport } from './local.ts'
export { type ApiHandler, type ApiRequest, type ApiResponse, jsonAnswer } from './message.ts'
export { type ApiServer, serve } from './server.ts'

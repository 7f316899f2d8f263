import { UserError } from '../../src/errors.ts'

/** The server is gone: the answer never comes. */
export function isConnectionEnd(error: unknown): boolean {
  if (error instanceof UserError) return error.code === 'CLUSTER_UNREACHABLE'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code)
}

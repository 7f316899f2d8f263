import { promisify } from 'node:util'
import { constants, createGzip, gzip } from 'node:zlib'
import type { ApiResponse } from './message.ts'

/** Shorter answers are not worth it; the limit is Kubernetes' own. */
const worthwhile = 128 * 1024
const options = { level: constants.Z_BEST_SPEED }
const gzipped = promisify<string | Buffer, typeof options, Buffer>(gzip)

/** A long answer as gzip when the client takes that. Compressing happens beside the event loop. */
export function compressed(
  answer: ApiResponse,
  acceptEncoding: string | string[] | undefined,
): ApiResponse | Promise<ApiResponse> {
  const { body } = answer
  const isWhole = typeof body === 'string' || Buffer.isBuffer(body)
  if (isWhole ? body.length <= worthwhile : answer.isList !== true) return answer
  if (!takesGzip(String(acceptEncoding ?? ''))) return answer
  const headers = { ...answer.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
  if (!isWhole) return { ...answer, headers, body: piecewise(body) }
  return gzipped(body, options).then((packed) => ({ ...answer, headers, body: packed }))
}

/** As Kubernetes reads it: no weights. */
function takesGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((encoding) => encoding.trim() === 'gzip')
}

async function* piecewise(body: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  const packer = createGzip(options)
  const feed = async (): Promise<void> => {
    for await (const piece of body)
      if (!packer.write(piece)) await new Promise<void>((resolve) => packer.once('drain', () => resolve()))
    packer.end()
  }
  const feeding = feed().catch((error: unknown) => packer.destroy(error instanceof Error ? error : undefined))
  try {
    yield* packer
  } finally {
    packer.destroy()
    await feeding
  }
}

// An HTTPS client that adds little of its own to what is measured.
import { request as httpsRequest, Agent } from 'node:https'

/** Calls to one server over at most `connections` kept connections. */
export function clientOf(target, connections = 32) {
  const { host, port, ca, cert, key } = target
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key })
  const streams = new Agent({ keepAlive: false, ca, cert, key })

  const start = (method, path, options) =>
    httpsRequest({ host, port, path, method, servername: 'localhost', ...options })

  return {
    /** Sends one request and gives back the whole answer; an answer of failure is an error. */
    call(method, path, body, type = 'application/json') {
      return new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body)
        const headers = text ? { 'content-type': type, 'content-length': Buffer.byteLength(text) } : {}
        const request = start(method, path, { agent, headers })
        request.on('error', reject)
        request.on('response', (response) => {
          const pieces = []
          response.on('data', (piece) => pieces.push(piece))
          response.on('error', reject)
          response.on('end', () => {
            const bytes = Buffer.concat(pieces)
            if (response.statusCode < 400) resolve(bytes)
            else
              reject(new Error(`${method} ${path}: ${response.statusCode} ${bytes.toString().slice(0, 300)}`))
          })
        })
        request.end(text)
      })
    },

    /** Opens a watch; resolves when it has begun. `onPiece` gets the bytes as they come. */
    watch(path, onPiece) {
      return new Promise((resolve, reject) => {
        const request = start('GET', path, { agent: streams })
        request.on('error', reject)
        request.on('response', (response) => {
          response.on('data', onPiece)
          response.on('error', () => undefined)
          if (response.statusCode === 200) resolve(() => request.destroy())
          else reject(new Error(`watch ${path}: ${response.statusCode}`))
        })
        request.end()
      })
    },

    close() {
      agent.destroy()
      streams.destroy()
    },
  }
}

/** Does `work(0)`, `work(1)`, ... `count` times, `width` at a time; how many there were a second, and how long one took. */
export async function pool(count, width, work) {
  let next = 0
  const times = []
  const startedAt = performance.now()
  const one = async () => {
    while (next < count) {
      const index = next++
      const begun = performance.now()
      await work(index)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, one))
  const seconds = (performance.now() - startedAt) / 1000
  return { perSecond: Math.round(count / seconds), p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
}

/** A quantile of some numbers, to two decimals. */
export function quantile(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0, 2)
}

export function rounded(number, digits = 0) {
  return Number(number.toFixed(digits))
}

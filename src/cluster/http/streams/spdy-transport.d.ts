/** The part of `spdy-transport` that port forwarding uses; the package ships no types. */
declare module 'spdy-transport' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex } from 'node:stream'

  export interface SpdyStream extends Duplex {
    readonly headers: Readonly<Record<string, string | undefined>>
    respond(status: number, headers: Readonly<Record<string, string>>): void
  }

  interface SpdyConnection extends EventEmitter {
    start(version: number): void
    on(event: 'stream', listener: (stream: SpdyStream) => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }

  const transport: {
    readonly connection: {
      create(
        socket: Duplex,
        options: { readonly protocol: 'spdy'; readonly isServer: boolean },
      ): SpdyConnection
    }
  }
  export default transport
}

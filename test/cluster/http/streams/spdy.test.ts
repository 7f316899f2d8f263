import { duplexPair } from './pair.ts'
import { constants, createDeflate } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { headerDictionary } from '../../../../src/cluster/http/streams/spdy/dictionary.ts'
import { serveSpdy, type SpdyStream } from '../../../../src/cluster/http/streams/spdy/session.ts'

describe('SPDY as port forwarding uses it', () => {
  it('opens streams with their headers and carries what comes in, whatever is in between', async () => {
    const [client, server] = duplexPair()
    const opened = new Promise<SpdyStream>((resolve) => {
      void serveSpdy(server, resolve)
    })
    client.write(synStream(1, await packed({ streamType: 'data', port: '80' })))
    const stream = await opened
    expect(stream.headers).toMatchObject({ streamtype: 'data', port: '80' })
    client.write(frame([0x80, 3, 0, 6], Buffer.from([0, 0, 0, 1])))
    client.write(frame([0, 0, 0, 1], Buffer.from('to the pod')))
    for await (const piece of stream) {
      expect(String(piece)).toBe('to the pod')
      break
    }
  })

  it.each([
    ['a frame that is too large', Buffer.from([0, 0, 0, 1, 0, 255, 255, 255])],
    ['headers that are not packed', synStream(1, Buffer.from('plain text'))],
    ['a frame that is cut off', frame([0x80, 3, 0, 1], Buffer.alloc(2))],
  ])('ends the session at %s', async (_what, bytes) => {
    const [client, server] = duplexPair()
    client.write(bytes)
    await expect(serveSpdy(server, () => undefined)).rejects.toThrow()
  })

  it('refuses headers that unpack to more than anybody sends', async () => {
    const [client, server] = duplexPair()
    client.write(synStream(1, await packed({ name: 'x'.repeat(1_000_000) })))
    await expect(serveSpdy(server, () => undefined)).rejects.toThrow('too large')
  })
})

function frame(head: readonly number[], body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([Buffer.from(head), length, body])
}

function synStream(id: number, block: Buffer): Buffer {
  return frame([0x80, 3, 0, 1], Buffer.concat([Buffer.from([0, 0, 0, id, 0, 0, 0, 0, 0, 0]), block]))
}

function packed(headers: Readonly<Record<string, string>>): Promise<Buffer> {
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(value.length)
    return Buffer.concat([length, Buffer.from(value)])
  }
  const count = Buffer.alloc(4)
  count.writeUInt32BE(Object.keys(headers).length)
  const plain = Buffer.concat([
    count,
    ...Object.entries(headers).flatMap(([name, value]) => [text(name), text(value)]),
  ])
  const packer = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH })
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    packer.on('data', (piece: Buffer) => pieces.push(piece))
    packer.write(plain, () => resolve(Buffer.concat(pieces)))
  })
}

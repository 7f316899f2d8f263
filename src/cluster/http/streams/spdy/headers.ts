import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'
import { headerDictionary } from './dictionary.ts'

/** A header block that unpacks to more is an attack: those of port forwarding are a few hundred bytes. */
const maxBlockBytes = 64 * 1024

const settings = { dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH }

/** Unpacks header blocks. They build on each other: each goes through here, in the order of arrival. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate(settings)

  /** @throws {Error} for a block that is none. */
  async read(block: Buffer): Promise<Readonly<Record<string, string>>> {
    const plain = await passThrough(this.#inflate, block)
    let offset = 0
    const number = (): number => {
      offset += 4
      return plain.readUInt32BE(offset - 4)
    }
    const text = (): string => {
      const length = number()
      offset += length
      if (offset > plain.length) throw new RangeError('a header is longer than its block')
      return plain.toString('utf8', offset - length, offset)
    }
    const headers: Record<string, string> = Object.create(null)
    for (let left = number(); left > 0; left -= 1) {
      const name = text().toLowerCase()
      headers[name] = text()
    }
    return headers
  }

  close(): void {
    this.#inflate.destroy()
  }
}

/** Packs empty header blocks: an answer that accepts a stream says nothing more. */
export class HeaderWriter {
  readonly #deflate: Deflate = createDeflate(settings)

  async empty(): Promise<Buffer> {
    return passThrough(this.#deflate, Buffer.alloc(4))
  }

  close(): void {
    this.#deflate.destroy()
  }
}

function passThrough(packer: Inflate | Deflate, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    const finish = (error?: Error | null): void => {
      packer.off('data', take)
      packer.off('error', finish)
      if (error) reject(error)
      else resolve(Buffer.concat(pieces))
    }
    const take = (piece: Buffer): void => {
      size += piece.length
      if (size > maxBlockBytes) {
        finish(new RangeError('a header block is too large'))
        packer.destroy()
      } else pieces.push(piece)
    }
    packer.on('data', take)
    packer.on('error', finish)
    packer.write(bytes, finish)
  })
}

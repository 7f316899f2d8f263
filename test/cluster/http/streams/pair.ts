import { Duplex } from 'node:stream'

/** Two ends of a connection in memory: what one writes, the other reads. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const one: Duplex = end(() => other)
  const other: Duplex = end(() => one)
  return [one, other]
}

function end(peer: () => Duplex): Duplex {
  return new Duplex({
    read: () => undefined,
    write(piece: Buffer, _encoding, done) {
      peer().push(piece)
      done()
    },
    final(done) {
      peer().push(null)
      done()
    },
  })
}

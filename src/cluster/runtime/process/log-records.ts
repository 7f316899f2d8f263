/** One record of a log file: a line, or a piece of one. */
export interface LogRecord {
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** The line goes on in the next record of this stream. */
  readonly isPartial: boolean
  readonly text: Buffer
}

/**
 * Splits bytes into records of the container log format, `TIME STREAM F|P TEXT`
 * (https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md).
 * What is not a record, such as the torn end of a file after a crash, is passed over.
 */
export class LogParser {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): LogRecord[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const records: LogRecord[] = []
    let start = 0
    for (;;) {
      const end = data.indexOf(10, start)
      if (end < 0) break
      const record = parseRecord(data.subarray(start, end))
      if (record !== undefined) records.push(record)
      start = end + 1
    }
    this.#rest = data.subarray(start)
    return records
  }
}

const space = 32

function parseRecord(line: Buffer): LogRecord | undefined {
  const first = line.indexOf(space)
  const second = line.indexOf(space, first + 1)
  const third = line.indexOf(space, second + 1)
  if (first < 0 || second < 0 || third < 0) return undefined
  const stream = line.toString('latin1', first + 1, second)
  const tag = line.toString('latin1', second + 1, third)
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'F' && tag !== 'P')) return undefined
  return {
    time: line.toString('latin1', 0, first),
    stream,
    isPartial: tag === 'P',
    text: line.subarray(third + 1),
  }
}

// The yardstick: an HTTPS server that reads a JSON body and sends it back. Run as a child process with an IPC channel:
// it reports its port. Arguments: files of its key and its certificate.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [keyFile, certificateFile] = process.argv.slice(2)
const server = createServer(
  { key: readFileSync(keyFile), cert: readFileSync(certificateFile) },
  (request, response) => {
    const pieces = []
    request.on('data', (piece) => pieces.push(piece))
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString()
      response.setHeader('content-type', 'application/json')
      response.end(text ? JSON.stringify(JSON.parse(text)) : '{}')
    })
  },
)
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
process.once('disconnect', () => process.exit(0))

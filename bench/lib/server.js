// The one server, in a process of its own: POST /<shape>/…/chat/completions streams that shape, from bytes made once, so
// that it costs little beside its readers; every other POST is a batch of spans, which it counts. Loopback only.
// Messages to it: 'counts' is answered with what it has seen, { refuse: true | false } turns the ingest off and on.

import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { countSpans } from './countSpans.js'
import { answerOf, SHAPES } from './shapes.js'

const answers = new Map()

const answerFor = (shape) => {
  if (!answers.has(shape)) answers.set(shape, answerOf(shape))
  return answers.get(shape)
}

const write = (socket, { every, apart, pieces }) => {
  if (every === undefined) {
    // Not corked: each is a write, hence a segment, of its own.
    let at = 0
    const more = () => {
      while (at < pieces.length && !socket.destroyed) {
        if (!socket.write(pieces[at++])) return void socket.once('drain', more)
        if (apart === true) return void setImmediate(more)
      }
    }
    return more()
  }
  socket.write(pieces[0])
  let at = 1
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer)
    socket.write(pieces[at++])
    if (at === pieces.length - 1) socket.write(pieces[at++])
    if (at >= pieces.length) clearInterval(timer)
  }, every)
}

const LENGTH = /^content-length: *(\d+)/im
const PATH = /^POST \/([^/ ]+)\//

const chat = createServer({ noDelay: true }, (socket) => {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
    for (;;) {
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = received.toString('latin1', 0, end)
      const length = end + 4 + Number(LENGTH.exec(head)?.[1] ?? 0)
      if (received.length < length) return
      received = received.subarray(length)
      const shape = PATH.exec(head)?.[1]
      if (shape === undefined || SHAPES[shape] === undefined)
        return void socket.end('HTTP/1.1 404 Not Found\r\n\r\n')
      write(socket, answerFor(shape))
    }
  })
})

const seen = { spans: 0, attributed: 0, batches: 0, refused: 0, bytes: 0 }
let refuse = false

const ingest = createHttpServer((request, response) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    if (refuse) {
      seen.refused++
      return response.writeHead(503, { 'content-type': 'application/json' }).end('{"detail":"down"}')
    }
    const body = Buffer.concat(parts)
    const { spans, attributed } = countSpans(body, request.headers)
    seen.spans += spans
    seen.attributed += attributed
    seen.batches++
    seen.bytes += body.length
    response.writeHead(200, {
      'content-type': request.headers['content-type']?.includes('proto')
        ? 'application/x-protobuf'
        : 'application/json',
    })
    response.end(request.headers['content-type']?.includes('proto') ? '' : '{}')
  })
})

const listening = (server) =>
  new Promise((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(server.address().port)),
  )

process.on('message', (message) => {
  if (message === 'counts') process.send({ seen: { ...seen, cpu: process.cpuUsage() } })
  else if (message.refuse !== undefined) refuse = message.refuse
})
process.on('disconnect', () => process.exit(0))

const [chatPort, ingestPort] = await Promise.all([listening(chat), listening(ingest)])
process.send({ chat: `http://127.0.0.1:${chatPort}`, ingest: `http://127.0.0.1:${ingestPort}` })

// What test.mjs bundles and starts: a server that renders the application, and passes its requests on with a key.

import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { render } from './build/out/render.js'

const { RESPAN_BASE_URL, RESPAN_API_KEY, PAGE } = process.env
const document =
  '<!doctype html><html><head></head><body><app-root></app-root><script type="module" src="/page.js"></script></body></html>'

const passOn = async (request, response) => {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const { 'content-type': type = '', accept = '' } = request.headers
  const answer = await fetch(`${RESPAN_BASE_URL}${request.url.slice('/respan'.length)}`, {
    method: 'POST',
    headers: { 'content-type': type, accept, authorization: `Bearer ${RESPAN_API_KEY}` },
    body: Readable.toWeb(request),
    duplex: 'half',
    signal: gone.signal,
  })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
  await pipeline(Readable.fromWeb(answer.body), response)
}

const answer = async (request, response) => {
  if (request.method === 'POST') return passOn(request, response)
  if (request.url !== '/page.js')
    return response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .end(await render(document, `http://${request.headers.host}/`))
  response.setHeader('content-type', 'text/javascript')
  return pipeline(createReadStream(PAGE), response)
}

// A page that goes away breaks off what it asked for.
const server = createServer((request, response) => answer(request, response).catch(() => response.destroy()))
server.listen(0, '127.0.0.1', () => process.send(server.address().port))

// node native.mjs <base URL> <bundle>: runs what was bundled for React Native with the globals that it has, as far as the
// library goes: no random bytes, no streams, an older AbortSignal, and the fetch that it brings, which gives the whole text at
// the end.

import { request } from 'node:http'
import { pathToFileURL } from 'node:url'

const [baseUrl, bundle] = process.argv.slice(2)

// Node makes its own with a stream, when it is first asked for it.
const { FormData } = globalThis
for (const lacking of ['crypto', 'ReadableStream', 'WritableStream', 'TransformStream', 'fetch'])
  delete globalThis[lacking]
for (const lacking of ['any', 'abort', 'timeout']) delete AbortSignal[lacking]
for (const lacking of ['reason', 'throwIfAborted']) delete AbortSignal.prototype[lacking]

const { Headers, Request, Response } = await import('whatwg-fetch')

const fetch = (url, { method, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, signal }, async (answer) => {
      answer.setEncoding('utf8')
      let text = ''
      for await (const piece of answer) text += piece
      resolve(new Response(text, { status: answer.statusCode, headers: answer.headers }))
    })
    sent.on('error', reject)
    sent.end(body)
  })

Object.assign(globalThis, { fetch, FormData, Headers, Request, Response, baseUrl })
await import(pathToFileURL(bundle))

import type { Context } from 'hono'
import type { Fault } from './Fault.js'
import { faultyBody, type Misfits } from './faultyBody.js'
import type { LocalEnv } from './LocalState.js'
import type { Refusal } from './Refusal.js'

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/** A refusal as a response: text as it is, anything else as JSON. */
export const sendRefusal = ({ body, headers = {}, status }: Refusal): Response => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Response(NO_BODY.has(status) ? null : text, {
    status,
    headers: {
      'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json',
      ...headers,
    },
  })
}

/** A body sent piece by piece, with the fault at its place; the request's record follows what becomes of it. */
export const sendPieces = (
  c: Context<LocalEnv>,
  pieces: Iterator<string> | AsyncIterator<string>,
  fault: Fault,
  misfits: Misfits,
  contentType: string,
): Response => {
  c.set('later', true)
  // After what was written has left the process.
  const breakOff = (): void => void setImmediate(() => c.env.outgoing.destroy())
  const body = faultyBody(pieces, fault, misfits, c.get('record'), breakOff)
  return new Response(body, {
    headers: { 'content-type': contentType, 'cache-control': 'no-cache', 'transfer-encoding': 'chunked' },
  })
}

const IN_BODY = ['cutAfter', 'endAfter', 'hangAfter', 'malformedAfter', 'errorAfter'] as const

// A document has two pieces, its halves, so that "after n chunks" for n > 0 means in its middle.
const halved = (fault: Fault): Fault => ({
  ...fault,
  ...Object.fromEntries(
    IN_BODY.flatMap((key) => {
      const after = fault[key]
      return after === undefined ? [] : [[key, Math.min(after, 1)] as const]
    }),
  ),
})

/** A JSON document, with the fault in it. */
export const sendJson = (c: Context<LocalEnv>, body: unknown, fault: Fault = {}): Response => {
  const text = JSON.stringify(body)
  if (IN_BODY.every((key) => fault[key] === undefined)) {
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  }
  if (fault.errorAfter !== undefined) return sendJson(c, ERROR)
  const half = Math.ceil(text.length / 2)
  const ends = fault.malformedAfter === undefined ? fault : { ...fault, endAfter: fault.malformedAfter }
  const pieces = [text.slice(0, half), text.slice(half)][Symbol.iterator]()
  return sendPieces(c, pieces, halved(ends), { malformed: '', error: '' }, 'application/json')
}

/** An error as OpenAI reports it after output began. */
export const ERROR = {
  error: {
    message: 'The server had an error while processing your request.',
    type: 'server_error',
    param: null,
    code: null,
  },
}

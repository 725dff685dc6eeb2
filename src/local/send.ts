import type { Context } from 'hono'
import { picked } from '../util/picked.js'
import type { Fault } from './Fault.js'
import { faultyBody, type PlannedBody } from './faultyBody.js'
import type { LocalEnv } from './LocalState.js'
import { type Refusal, SERVER_ERROR } from './Refusal.js'

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

/** A body as a response, sent piece by piece; the request's record is told what becomes of it. */
export const sendPieces = (c: Context<LocalEnv>, body: PlannedBody, contentType: string): Response => {
  c.set('endsLater', true)
  // Not before what was written has left the process.
  const breakOff = (): void => void setImmediate(() => c.env.outgoing.destroy())
  return new Response(faultyBody(body, c.get('record'), breakOff), {
    headers: { 'content-type': contentType, 'cache-control': 'no-cache', 'transfer-encoding': 'chunked' },
  })
}

const IN_BODY = ['cutAfter', 'endAfter', 'hangAfter', 'malformedAfter', 'errorAfter'] as const

// A document is sent in halves, so that "after n chunks" means in its middle, for any n > 0.
const halved = (fault: Fault): Fault => ({
  ...fault,
  ...Object.fromEntries(
    Object.entries(picked(fault, IN_BODY)).map(([key, after]) => [key, Math.min(after, 1)]),
  ),
})

/** A JSON document, with the fault in it. */
export const sendJson = (c: Context<LocalEnv>, body: unknown, fault: Fault = {}): Response => {
  const text = JSON.stringify(body)
  if (IN_BODY.every((key) => fault[key] === undefined)) {
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  }
  if (fault.errorAfter !== undefined) return sendJson(c, SERVER_ERROR)
  const half = Math.ceil(text.length / 2)
  const pieces = [text.slice(0, half), text.slice(half)].values()
  // What ends too early is malformed.
  const ending = fault.malformedAfter === undefined ? fault : { ...fault, endAfter: fault.malformedAfter }
  return sendPieces(c, { pieces, fault: halved(ending) }, 'application/json')
}

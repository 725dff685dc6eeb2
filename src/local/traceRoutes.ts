import { type Context, Hono } from 'hono'
import type { Handler } from './answering.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { paged } from './paged.js'
import { sendJson, sendRefusal } from './send.js'
import { traceBody, traceSummary, traceView } from './traceView.js'

/** Reading traces back. */
export const traceRoutes = ({ traces }: LocalState): Hono<LocalEnv> => {
  const view = (id: string) => traceView(id, traces.trace(id) ?? [])
  const list: Handler = (c) =>
    paged(
      c,
      traces.ids().map((id) => traceSummary(view(id))),
      100,
    )
  const one = (c: Context<LocalEnv>): Response => {
    const id = c.req.param('id') ?? ''
    return traces.trace(id) === undefined
      ? sendRefusal({ status: 404, body: { error: 'Trace not found' } })
      : sendJson(c, traceBody(view(id)))
  }
  return new Hono<LocalEnv>()
    .get('/', (c) => sendJson(c, list(c)))
    .post('/list', (c) => sendJson(c, list(c)))
    .get('/:id', one)
    .post('/:id', one)
}

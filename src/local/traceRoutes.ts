import { type Context, Hono } from 'hono'
import type { LocalEnv, LocalState } from './LocalState.js'
import { paged } from './paged.js'
import { sendJson, sendRefusal } from './send.js'
import { traceBody, traceSummary } from './traceBodies.js'
import { traceView } from './traceView.js'

/** Reading traces back. */
export const traceRoutes = ({ traces }: LocalState): Hono<LocalEnv> => {
  const list = (c: Context<LocalEnv>): Response => {
    const summaries = traces.ids().map((id) => traceSummary(traceView(id, traces.trace(id) ?? [])))
    return sendJson(c, paged(c, summaries, 100))
  }
  const one = (c: Context<LocalEnv>): Response => {
    const id = c.req.param('id') ?? ''
    const spans = traces.trace(id)
    return spans === undefined
      ? sendRefusal({ status: 404, body: { error: 'Trace not found' } })
      : sendJson(c, traceBody(traceView(id, spans)))
  }
  return new Hono<LocalEnv>().get('/', list).post('/list', list).get('/:id', one).post('/:id', one)
}

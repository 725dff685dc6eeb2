import type { Context } from 'hono'
import { isLeft } from '#fp/Either'
import { answering } from './answering.js'
import { ingestSpans } from './ingestSpans.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { sendRefusal } from './send.js'

/** `POST /api/v1/traces/ingest`: stores spans, unless one of them is invalid. */
export const ingestRoute = (state: LocalState): ((c: Context<LocalEnv>) => Promise<Response>) =>
  answering(state, 'ingest', (c) => {
    const spans = ingestSpans(c.get('body'))
    if (isLeft(spans)) return sendRefusal(spans.left)
    const created = state.traces.add(spans.right)
    return {
      status: 'ok',
      ingested_spans: spans.right.length,
      created_traces: created.length,
      trace_ids: [...new Set(spans.right.map((span) => span.trace_unique_id))],
      errors: [],
    }
  })

import type { Context } from 'hono'
import { map } from '#fp/Either'
import type { SpanPayload } from '../codecs/SpanPayload.js'
import { answering } from './answering.js'
import { ingestSpans } from './ingestSpans.js'
import type { LocalEnv, LocalState } from './LocalState.js'

/** `POST /api/v1/traces/ingest`: stores spans, unless one of them is invalid. */
export const ingestRoute = (state: LocalState): ((c: Context<LocalEnv>) => Promise<Response>) =>
  answering(state, 'ingest', (c) =>
    map((spans: ReadonlyArray<SpanPayload>) => ({
      status: 'ok',
      ingested_spans: spans.length,
      created_traces: state.traces.add(spans).length,
      trace_ids: [...new Set(spans.map((span) => span.trace_unique_id))],
      errors: [],
    }))(ingestSpans(c.get('body'))),
  )

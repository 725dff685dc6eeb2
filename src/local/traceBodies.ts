import type { Fields } from '../codecs/Fields.js'
import { jsonOrText } from './jsonOrText.js'
import { identifierOf, isoTime, type SpanView, type TraceView } from './traceView.js'

const spanBody = (view: SpanView): Fields => ({
  ...view.span,
  id: view.span.span_unique_id,
  span_parent_id: view.span.span_parent_id ?? null,
  log_type: (view.span.log_type ?? 'chat').toUpperCase(),
  input: jsonOrText(view.span.input) ?? null,
  output: jsonOrText(view.span.output) ?? null,
  status: view.status === 'error' ? 'error' : 'success',
  status_code: view.span.status_code ?? 200,
  ...(view.cost === undefined ? {} : { cost: view.cost }),
  children: view.children.map(spanBody),
})

/** A trace without its spans, as `POST /api/traces/list/` gives it. */
export const traceSummary = (trace: TraceView): Fields => ({
  id: trace.id,
  trace_unique_id: trace.id,
  name: trace.name,
  start_time: isoTime(trace.start) ?? null,
  end_time: isoTime(trace.end) ?? null,
  duration: (trace.end - trace.start) / 1000,
  span_count: trace.rows.length,
  llm_call_count: trace.modelCalls,
  total_prompt_tokens: trace.promptTokens,
  total_completion_tokens: trace.completionTokens,
  total_tokens: trace.promptTokens + trace.completionTokens,
  total_cost: trace.cost ?? 0,
  error_count: trace.errors,
  metadata: trace.root?.span.metadata ?? {},
  customer_identifier: identifierOf(trace, 'customer_identifier') ?? null,
  environment: 'local',
})

/** A trace as `GET /api/traces/{id}/` gives it. */
export const traceBody = (trace: TraceView): Fields => ({
  ...traceSummary(trace),
  span_tree: trace.roots.map(spanBody),
})

import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { spanLabels } from './RespanAttributes.js'
import { ApiControls } from './RespanParams.js'
import { ReportedUsage } from './Usage.js'
import {
  finite,
  integer,
  integerWithin,
  listOf,
  nullable,
  numberWithin,
  objects,
  oneOf,
  strings,
  wire,
} from './wire.js'

/**
 * The type of a span, as we send it; the platform's default is `chat`. The platform returns some types in capitals.
 *
 * @see https://respan.ai/docs/documentation/features/tracing/logs/log-content-types
 */
export const LogType = oneOf(
  'text',
  'chat',
  'completion',
  'response',
  'embedding',
  'transcription',
  'speech',
  'workflow',
  'task',
  'tool',
  'agent',
  'handoff',
  'guardrail',
  'function',
  'custom',
  'generation',
  'unknown',
)

/** The type of a span. */
export type LogType = t.TypeOf<typeof LogType>

const identity = t.type({ trace_unique_id: t.string, span_unique_id: t.string })
const textOrObject = t.union([t.string, Fields], 'string or object')
const objectOrList = t.union([Fields, t.readonlyArray(t.unknown, 'list')], 'object or list')

/**
 * One span as `POST /api/v1/traces/ingest` accepts it. Only the two ids are required; spans with the same
 * `trace_unique_id` form a trace, and a `span_parent_id` that is null or absent marks its root.
 *
 * `start_time` is the start and `timestamp` the end, RFC 3339 in UTC. Durations (`latency`, `time_to_first_token`,
 * `routing_time`) are in seconds; `cost` is in USD, and the platform computes it when it is absent. `input` and
 * `output` are text, or JSON as text. `status_code` is HTTP-like, 200 when absent. A span may take up to 20 MB.
 *
 * @see https://respan.ai/docs/apis/observe/traces/traces-ingest-from-logs
 */
export const SpanPayload = wire(
  t.intersection([
    identity,
    t.partial({
      span_parent_id: nullable(t.string),
      span_name: t.string,
      span_workflow_name: t.string,
      span_path: t.string,
      trace_name: t.string,
      log_type: LogType,
      start_time: t.string,
      timestamp: t.string,
      latency: numberWithin(0),
      time_to_first_token: numberWithin(0),
      tokens_per_second: numberWithin(0),
      routing_time: numberWithin(0),
      input: t.string,
      output: t.string,
      prompt_messages: objects,
      completion_message: Fields,
      model: t.string,
      provider_id: t.string,
      prompt_tokens: integerWithin(0),
      completion_tokens: integerWithin(0),
      total_request_tokens: integerWithin(0),
      usage: ReportedUsage,
      prompt_cache_hit_tokens: integerWithin(0),
      prompt_cache_creation_tokens: integerWithin(0),
      reasoning_tokens: integerWithin(0),
      cost: numberWithin(0),
      prompt_unit_price: numberWithin(0),
      completion_unit_price: numberWithin(0),
      status_code: integerWithin(100, 599),
      status: oneOf('success', 'error'),
      error_message: t.string,
      error_bit: integerWithin(0, 1),
      warnings: textOrObject,
      warnings_dict: Fields,
      has_warnings: t.boolean,
      ...spanLabels,
      tools: objects,
      tool_choice: textOrObject,
      tool_calls: objects,
      span_tools: strings,
      span_handoffs: strings,
      full_request: objectOrList,
      full_response: objectOrList,
      temperature: finite,
      max_tokens: integer,
      top_p: finite,
      presence_penalty: finite,
      frequency_penalty: finite,
      stop: t.union([t.string, strings], 'string or list of strings'),
      n: integer,
      stream: t.boolean,
      stream_options: Fields,
      response_format: Fields,
      reasoning_effort: t.string,
      embedding: t.readonlyArray(finite, 'list of numbers'),
      encoding_format: t.string,
      dimensions: integer,
      prompt: Fields,
      prompt_id: t.string,
      prompt_name: t.string,
      prompt_version_number: integer,
      variables: Fields,
      is_custom_prompt: t.boolean,
      log_method: t.string,
      respan_api_controls: ApiControls,
      ideal_output: t.string,
      is_test: t.boolean,
    }),
  ]),
  'SpanPayload',
)

/** One span as the platform accepts it. */
export type SpanPayload = t.TypeOf<typeof SpanPayload>

const spans = listOf(SpanPayload)

/**
 * The body of `POST /api/v1/traces/ingest`: the spans as a bare array, which is the older and documented form, or
 * under `data`.
 *
 * @see https://www.respan.ai/docs/apis/traces/create-trace-legacy
 */
export const IngestRequest = t.union(
  [spans, wire(t.type({ data: spans }), 'WrappedSpans')],
  'list of SpanPayload, or { data }',
)

/** The body of an ingest request. */
export type IngestRequest = t.TypeOf<typeof IngestRequest>

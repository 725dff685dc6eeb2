import type * as t from 'io-ts'
import { defined } from '../codecs/defined.js'
import type { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { pickedBy } from '../codecs/pickedBy.js'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import { redactSecrets } from '../codecs/redactSecrets.js'
import { type LogType, SpanPayload } from '../codecs/SpanPayload.js'
import type { Usage } from '../codecs/Usage.js'
import { cutText } from '../tracing/contentText.js'
import type { Generation, Span, SpanType } from '../tracing/SpanEvent.js'
import { picked } from '../util/picked.js'
import { wireAttributes } from './wireAttributes.js'

const LOG_TYPES: Readonly<Record<SpanType, LogType>> = {
  workflow: 'workflow',
  task: 'task',
  agent: 'agent',
  tool: 'tool',
  generation: 'chat',
}

/** The length at which the platform cuts names. */
const MAX_NAME = 255
const LONE_SURROGATE_AT_END = /[\ud800-\udbff]$/

/** Maximum sizes of an error's message and of its stack, in bytes. */
const MAX_MESSAGE = 2_000
const MAX_STACK = 8_000

const TRUNCATED = 'The stream stopped without a finish reason.'

let lastSecond = Number.NaN
let lastText = ''

/** RFC 3339 to the second, without a zone. Cached, since spans of a batch share few seconds, and each costs 1 µs. */
const secondText = (second: number): string | undefined => {
  if (second !== lastSecond) {
    const date = new Date(second * 1000)
    if (Number.isNaN(date.getTime())) return undefined
    lastText = date.toISOString().slice(0, -'.000Z'.length)
    lastSecond = second
  }
  return lastText
}

/** RFC 3339 in UTC with microseconds; `undefined` for a time that no date can represent. */
const rfc3339 = (ms: number): string | undefined => {
  const microseconds = Math.round(ms * 1000)
  const second = Math.floor(microseconds / 1_000_000)
  const text = secondText(second)
  return text === undefined
    ? undefined
    : `${text}.${String(microseconds - second * 1_000_000).padStart(6, '0')}Z`
}

/** Seconds between two times in ms, to the microsecond; never negative. */
const secondsBetween = (from: number, to: number): number => {
  const seconds = Math.round((to - from) * 1000) / 1_000_000
  return seconds > 0 ? seconds : 0
}

/** Omits amounts that the codec would refuse: a server may report -1 for unknown, which must not cost us the span. */
const nonNegative = (amount: number | null | undefined): number | undefined =>
  typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? amount : undefined

const wholeNumber = (count: number | null | undefined): number | undefined => {
  const amount = nonNegative(count)
  return amount === undefined ? undefined : Math.round(amount)
}

const [, { props: SPAN_FIELDS }] = SpanPayload.type.types

/** Fields of a chat request that spans also have, under the same names, unless a value does not fit the span's codec. */
const REQUEST_FIELDS: Readonly<Partial<Record<string, t.Mixed>>> = picked(SPAN_FIELDS, [
  'temperature',
  'max_tokens',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'stop',
  'n',
  'stream_options',
  'response_format',
  'reasoning_effort',
  'tools',
  'tool_choice',
  'prompt_id',
  'prompt_version_number',
])

const isSpanField = (value: unknown, key: string): boolean =>
  Object.hasOwn(REQUEST_FIELDS, key) && REQUEST_FIELDS[key]?.is(value) === true

/** Fields of a request that a span has elsewhere. */
const ELSEWHERE: ReadonlySet<string> = new Set(['model', 'stream', 'messages'])

const usageFields = (usage: Usage | undefined): Fields =>
  usage === undefined
    ? {}
    : {
        prompt_tokens: wholeNumber(usage.prompt_tokens),
        completion_tokens: wholeNumber(usage.completion_tokens),
        total_request_tokens: wholeNumber(usage.total_tokens),
        prompt_cache_hit_tokens: wholeNumber(
          usage.prompt_tokens_details?.cached_tokens ?? usage.cache_read_input_tokens,
        ),
        prompt_cache_creation_tokens: wholeNumber(
          usage.prompt_tokens_details?.cache_creation_tokens ?? usage.cache_creation_input_tokens,
        ),
        reasoning_tokens: wholeNumber(usage.completion_tokens_details?.reasoning_tokens),
        usage,
      }

/**
 * The speed of a reply: tokens per second, for a stream from its first token on, and how many seconds that took. Of tokens
 * that are only estimated there is no speed: a reply that was cut short would seem to come in no time.
 */
const speedFields = (
  { startedAt, firstOutputAt, endedAt }: Span,
  { stream, usage, usageSource }: Generation,
): Fields => {
  const first = stream === true ? firstOutputAt : undefined
  const seconds = secondsBetween(first ?? startedAt, endedAt)
  const tokens = usageSource === 'reported' ? (usage?.completion_tokens ?? 0) : 0
  return {
    time_to_first_token: first === undefined ? undefined : secondsBetween(startedAt, first),
    tokens_per_second:
      tokens > 0 ? nonNegative(Math.round((tokens / seconds) * 1_000_000) / 1_000_000) : undefined,
  }
}

const generationFields = (span: Span): Fields => {
  const { generation } = span
  if (generation === undefined) return {}
  const { model, stream, usage, cost } = generation
  return { model, stream, cost: nonNegative(cost), ...usageFields(usage), ...speedFields(span, generation) }
}

const statusFields = ({ status, error }: Span): Fields => {
  if (status === 'ok' || status === 'cancelled') return { status_code: 200, status: 'success' }
  const message =
    error === undefined ? '' : `${error.tag}${error.message === undefined ? '' : `: ${error.message}`}`
  const code = status === 'truncated' ? 502 : (error?.status ?? 500)
  return {
    status_code: Number.isInteger(code) && code >= 100 && code <= 599 ? code : 500,
    status: 'error',
    error_message: cutText(message || (status === 'truncated' ? TRUNCATED : 'Error'), MAX_MESSAGE),
  }
}

const metadataOf = ({ status, leftEarly, error, generation }: Span, given: Fields): Fields => {
  const finishReasons = generation?.finishReasons?.map((reason) => reason ?? 'none')
  const own = {
    cancelled: status === 'cancelled' ? 'true' : undefined,
    left_early: leftEarly === true ? 'true' : undefined,
    error_tag: error?.tag,
    usage_source: generation?.usageSource,
    finish_reason:
      finishReasons === undefined || finishReasons.length === 0 ? undefined : finishReasons.join(','),
    gateway_request_id: generation?.requestId,
    gateway_log_id: generation?.logId,
    attempts: generation?.attempts,
  }
  return { ...given, ...defined(own) }
}

const NO_ATTRIBUTES: TraceAttributes = {}

const propertiesOf = ({ error, totals }: Span, given: Fields, request: Fields): Fields => ({
  ...defined(given),
  ...defined({
    respan_totals: totals,
    respan_request: unlessEmpty(request),
    respan_error:
      error?.stack === undefined ? undefined : { tag: error.tag, stack: cutText(error.stack, MAX_STACK) },
  }),
})

/** The name, cut where the platform would cut it, but never inside a surrogate pair. */
const nameOf = ({ name }: Span): string =>
  name.length > MAX_NAME ? name.slice(0, MAX_NAME).replace(LONE_SURROGATE_AT_END, '') : name

const unlessEmpty = (fields: Fields): Fields | undefined =>
  Object.keys(fields).length === 0 ? undefined : fields

/**
 * Converts a span to the form that the ingest endpoint accepts. Pure, and never throws whatever a span holds. What the
 * platform has no field for goes under names of our own: in `metadata` (`cancelled`, `left_early`, `error_tag`,
 * `usage_source`, `finish_reason`, `gateway_request_id`, `gateway_log_id`, `attempts`) and in `properties`
 * (`respan_totals` of a root, `respan_request`, `respan_error`).
 *
 * A generation is a `chat`; a tool has its name in `span_tools`. A cancelled span is a success with
 * `metadata.cancelled`; a truncated one has status 502, and a failed one the status of its error. Durations are in
 * seconds; only streams have `time_to_first_token`. Usage and cost are only on the generation's own span. Attributes
 * keep their names; secrets among them are redacted.
 *
 * @see https://respan.ai/docs/apis/observe/traces/traces-ingest-from-logs
 */
export const toSpanPayload = (span: Span): SpanPayload => {
  const { metadata, properties, ...others } = wireAttributes(span.attributes ?? NO_ATTRIBUTES)
  const request = fieldsOf(redactSecrets(span.generation?.request))
  const own = pickedBy(request, isSpanField)
  const rest = pickedBy(
    request,
    (value, key) => value !== undefined && !ELSEWHERE.has(key) && !Object.hasOwn(own, key),
  )
  return {
    ...others,
    ...own,
    ...defined({
      metadata: unlessEmpty(metadataOf(span, fieldsOf(metadata))),
      properties: unlessEmpty(propertiesOf(span, fieldsOf(properties), rest)),
      span_name: nameOf(span),
      span_workflow_name: span.workflow,
      span_path: span.path,
      trace_name: span.trace,
      log_type: LOG_TYPES[span.type],
      span_tools: span.type === 'tool' ? [nameOf(span)] : undefined,
      start_time: rfc3339(span.startedAt),
      timestamp: rfc3339(span.endedAt),
      latency: secondsBetween(span.startedAt, span.endedAt),
      input: span.input,
      output: span.output,
      log_method: 'ts_tracing',
      ...generationFields(span),
      ...statusFields(span),
    }),
    trace_unique_id: span.traceId,
    span_unique_id: span.spanId,
    span_parent_id: span.parentId ?? null,
  }
}

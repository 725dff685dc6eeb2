import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, isRight, left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { decode } from '../codecs/decode.js'
import { Fields } from '../codecs/Fields.js'
import { SpanPayload } from '../codecs/SpanPayload.js'
import { failureText, type Refusal, refusal } from './Refusal.js'

// The server knows these, but the documentation doesn't list them.
const OTHER_TYPES = new Set(['score', 'batch', 'span'])

const logType = (type: unknown): unknown => {
  const name = typeof type === 'string' ? type.toLowerCase() : type
  return typeof name === 'string' && OTHER_TYPES.has(name) ? 'custom' : name
}

const asText = (value: unknown): unknown => (typeof value === 'string' ? value : JSON.stringify(value))

// The platform's pages disagree about `null` and about objects as `input` and `output`; a server takes both.
const normalised = (span: unknown): unknown => {
  if (!Fields.is(span)) return span
  const given = Object.entries(span).filter(([key, value]) => value !== null || key === 'span_parent_id')
  return Object.fromEntries(
    given.map(([key, value]) => [
      key,
      key === 'input' || key === 'output' ? asText(value) : key === 'log_type' ? logType(value) : value,
    ]),
  )
}

const listOf = (body: unknown): ReadonlyArray<unknown> | undefined => {
  if (Array.isArray(body)) return body
  return Fields.is(body) && Array.isArray(body.data) ? body.data : undefined
}

const readSpan = (item: unknown): Either<DecodeFailure, SpanPayload> => {
  const decoded = decode(SpanPayload)(normalised(item))
  if (isLeft(decoded)) return decoded
  const span = decoded.right
  for (const path of ['trace_unique_id', 'span_unique_id'] as const) {
    if (span[path].trim() === '') return left({ path, expected: 'text', found: 'an empty string' })
    // No URL can hold one.
    if (/\p{Cs}/u.test(span[path])) return left({ path, expected: 'text', found: 'half a surrogate pair' })
  }
  return decoded
}

/**
 * Reads the spans of an ingest request, an array or `{ data }`. One invalid span has them all refused, with 400 and
 * under `errors` the index of each invalid span and why, so that a client can send the valid ones again.
 */
export const ingestSpans = (body: unknown): Either<Refusal, ReadonlyArray<SpanPayload>> => {
  const list = listOf(body)
  if (list === undefined) return left(refusal(400, 'Invalid request format'))
  const read = list.map(readSpan)
  const errors = read.flatMap((one, index) =>
    isLeft(one) ? [[index, [failureText(one.left)]] as const] : [],
  )
  if (errors.length === 0) return right(read.flatMap((one) => (isRight(one) ? [one.right] : [])))
  const detail = `${errors.length} of ${list.length} spans are invalid; none was stored`
  return left({ status: 400, body: { detail, errors: Object.fromEntries(errors) } })
}

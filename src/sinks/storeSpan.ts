import { isLeft } from '#fp/Either'
import { decode } from '../codecs/decode.js'
import { redactSecrets } from '../codecs/redactSecrets.js'
import { StoredSpan } from '../codecs/StoredSpan.js'
import { parseJson } from '../http/parseJson.js'
import { jsonOf } from '../tracing/contentText.js'
import type { FinishedSpan } from '../tracing/foldSpans.js'
import type { Span } from '../tracing/SpanEvent.js'
import { picked } from '../util/picked.js'
import { tried } from '../util/tried.js'
import { wireAttributes } from './wireAttributes.js'

/**
 * Serialises a span as one line of JSON, without the secrets in its attributes and its request.
 *
 * @returns `undefined` if the span is invalid, and so could not be read back
 */
export const storeSpan = (span: Span): string | undefined =>
  // A getter of the span may throw.
  tried(() => {
    const { attributes, generation, ...rest } = span
    const safe: unknown = {
      ...rest,
      ...(attributes === undefined ? {} : { attributes: wireAttributes(attributes) }),
      ...(generation === undefined ? {} : { generation: redactSecrets(generation) }),
    }
    return StoredSpan.is(safe) ? jsonOf(safe) : undefined
  })

/** Reads a stored span back, as the events that it was folded from; `undefined` if the text is not a stored span. */
export const restoreSpan = (text: string): FinishedSpan | undefined => {
  const decoded = decode(StoredSpan)(parseJson(text))
  return isLeft(decoded) ? undefined : fromSpan(decoded.right)
}

/** The inverse of `toSpan`. */
const fromSpan = (span: Span): FinishedSpan => {
  const { traceId, spanId, startedAt, firstOutputAt, endedAt } = span
  const { parentId, name, type, path, workflow, trace, status } = span
  return {
    start: {
      _tag: 'SpanStarted',
      ...{ traceId, spanId, at: startedAt, parentId, name, type, path, workflow, trace },
      ...picked(span, ['input', 'attributes']),
    },
    firstOutputAt,
    end: {
      _tag: 'SpanEnded',
      ...{ traceId, spanId, at: endedAt, status },
      ...picked(span, ['output', 'error', 'leftEarly', 'generation', 'totals']),
    },
  }
}

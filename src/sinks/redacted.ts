import { contentParams } from '../codecs/contentParams.js'
import { Fields } from '../codecs/Fields.js'
import { pickedBy } from '../codecs/pickedBy.js'
import { refuse } from '../codecs/refuse.js'
import { parseJson } from '../http/parseJson.js'
import { jsonOf } from '../tracing/contentText.js'
import { guardedAsync, nameOf, reporterOf } from '../tracing/guarded.js'
import type { Sink } from '../tracing/Sink.js'
import type { Generation, SpanError, SpanEvent } from '../tracing/SpanEvent.js'
import { withMessage } from '../tracing/spanError.js'
import { keysOf } from '../util/keysOf.js'
import { picked } from '../util/picked.js'
import { checkSink } from './checkSink.js'

/** Maps a piece of content; `undefined` withholds it. */
export type Redact = (content: string) => string | undefined

/**
 * Maps content before it reaches a sink: inputs, outputs, the messages and stacks of errors, and the tools, response
 * format and stop sequences of a request (together, as JSON; withheld unless the result is an object as JSON). Times,
 * names, models, token counts and attributes pass unchanged. If `redact` throws, or returns anything but a string or
 * `undefined`, the content is withheld, and the first failure is reported, without the content, as a process warning
 * (`RESPAN_REDACT`).
 *
 * Buffers nothing; `flush`, `close` and the counts are those of the given sink. To withhold content from all sinks, use
 * `redact` of `respanTrace`, which sees values before they are serialised.
 *
 * @param sink - receives the mapped events
 * @param redact - maps text, or JSON as text
 * @throws InvalidInput if either argument is wrong
 */
export const redacted = (sink: Sink, redact: Redact): Sink => {
  checkSink('redacted', 'sink', sink)
  if (typeof redact !== 'function') refuse('redacted', 'redact', 'a function', redact)
  const withheld = (what: string): string =>
    `The function given to redacted() ${what}: the content is withheld.`
  const reportThrow = reporterOf('RESPAN_REDACT', (name) => withheld(`threw ${name}`), nameOf)
  const reportOther = reporterOf(
    'RESPAN_REDACT',
    (kind) => withheld(`did not return a string (${kind})`),
    nameOf,
  )
  const map = (content: string | undefined): string | undefined => {
    if (content === undefined) return undefined
    const mapped: unknown = guardedAsync(reportThrow, () => redact(content))
    if (mapped === undefined || typeof mapped === 'string') return mapped
    // In JavaScript it may be a promise, for which no sink can wait.
    reportOther(mapped)
    return undefined
  }

  const mapError = ({ message: original, stack, ...rest }: SpanError): SpanError => {
    if (original === undefined) return rest
    const message = map(original)
    return message === undefined ? rest : withMessage(rest, message, original, stack, map)
  }

  const mapRequest = (request: Fields): Fields => {
    const content = picked(request, contentParams)
    if (Object.keys(content).length === 0) return request
    const others = pickedBy(request, (_, name) => !(name in content))
    const mapped = parseJson(map(jsonOf(content)) ?? '')
    return Fields.is(mapped) ? { ...others, ...mapped } : others
  }

  const mapGeneration = (generation: Generation): Generation =>
    generation.request === undefined ? generation : { ...generation, request: mapRequest(generation.request) }

  const mapEvent = (event: SpanEvent): SpanEvent => {
    switch (event._tag) {
      case 'SpanStarted': {
        const { input, ...rest } = event
        return { ...rest, ...picked({ input: map(input) }, ['input']) }
      }
      case 'SpanEnded': {
        const { input, output, error, generation, ...rest } = event
        const content = {
          input: map(input),
          output: map(output),
          error: error && mapError(error),
          generation: generation && mapGeneration(generation),
        }
        return { ...rest, ...picked(content, keysOf(content)) }
      }
      default:
        return event
    }
  }

  return {
    next: (event) => sink.next(mapEvent(event)),
    flush: () => sink.flush(),
    close: () => sink.close(),
    stats: () => sink.stats(),
    stats$: sink.stats$,
    get traceUrl() {
      return sink.traceUrl
    },
  }
}

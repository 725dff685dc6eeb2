import { left, right } from '#fp/Either'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { spanFold, toSpan } from '../tracing/foldSpans.js'
import { heeded, nameOf, reporterOf } from '../tracing/guarded.js'
import type { FlushReport, Sink } from '../tracing/Sink.js'
import type { Span } from '../tracing/SpanEvent.js'
import { forgetOldest } from '../util/forgetOldest.js'
import { tried } from '../util/tried.js'
import { isReadableError } from './isReadableError.js'
import { renderTrace } from './renderTrace.js'
import { NO_REPORT, sinkCounts } from './sinkCounts.js'

/** How and where `consoleSink` writes. */
export interface ConsoleOptions {
  /** Writes the text of a trace, which has no trailing line break. Default: to standard error, elsewhere the console. */
  readonly write?: (text: string) => void
  /** Whether to use ANSI colours. Default: if standard error is a terminal and `NO_COLOR` is unset. */
  readonly colors?: boolean
  /** Maximum width of a line, in columns. Default: that of standard error if it is a terminal, otherwise no limit. */
  readonly width?: number
}

const OPTIONS: Readonly<Record<keyof ConsoleOptions, OptionKind>> = {
  write: 'function',
  colors: 'boolean',
  width: 'number',
}

/** Maximum number of spans that wait for their root to end; beyond it, the oldest trace is dropped. */
const MAX_WAITING_SPANS = 10_000

/** How many written traces are remembered, for spans that end after their root. */
const MAX_WRITTEN_TRACES = 1_000

const writeToStandardError = (text: string): void => {
  const stderr = globalThis.process?.stderr
  if (typeof stderr?.write === 'function') stderr.write(`${text}\n`)
  else console.info(text)
}

const terminalHasColors = (): boolean => {
  const { process } = globalThis
  const noColor = process?.env?.NO_COLOR
  return process?.stderr?.isTTY === true && (noColor === undefined || noColor === '')
}

// A terminal that doesn't know its size reports 0.
const terminalWidth = (): number | undefined => globalThis.process?.stderr?.columns || undefined

/**
 * Writes each trace as a tree when its root ends: for development.
 *
 * Starts when it is made, and writes synchronously. Spans of a trace whose root has not ended are kept, at most 10,000 of
 * them; beyond that, the oldest trace is dropped and counted. A span that ends after its root is written on its own, as
 * long as its trace is among the last 1000. `flush` writes nothing; `close` writes what is known of the unfinished
 * traces, and spans that end later count as dropped. When the process ends, unfinished traces are lost. A `write` that
 * throws loses its trace: the first error is reported as a process warning (`RESPAN_SINK`), and `close` is a `Left` if
 * it loses a trace in this way.
 *
 * @throws InvalidInput for an unknown option, or one of the wrong type
 */
export const consoleSink = (options: ConsoleOptions = {}): Sink => {
  refuseUnknown('consoleSink', options, OPTIONS)
  const { write = writeToStandardError, colors, width } = options
  const report = reporterOf(
    'RESPAN_SINK',
    (name) => `The write function of a consoleSink threw ${name}.`,
    nameOf,
  )
  const fold = spanFold()
  const { counts, stats, stats$, changed } = sinkCounts()
  const waiting = new Map<string, Array<Span>>()
  const written = new Set<string>()
  let closed = false

  /** Writes spans as a tree; returns the error if that failed. */
  const tryWrite = (spans: ReadonlyArray<Span>): Error | undefined => {
    try {
      const tree = renderTrace(spans, {
        colors: colors ?? terminalHasColors(),
        width: width ?? terminalWidth(),
      })
      heeded(report, write(tree))
      return undefined
    } catch (thrown) {
      report(thrown)
      return isReadableError(thrown) ? thrown : new Error('The write function of a consoleSink failed.')
    }
  }

  /** Writes and counts spans that were queued; returns the error if nothing was written. */
  const print = (spans: ReadonlyArray<Span>): Error | undefined => {
    const error = tryWrite(spans)
    counts.queued -= spans.length
    counts[error === undefined ? 'delivered' : 'dropped'] += spans.length
    return error
  }

  const dropOldest = (): void => {
    const [oldest] = waiting
    if (oldest === undefined) return
    const [traceId, spans] = oldest
    waiting.delete(traceId)
    counts.queued -= spans.length
    counts.dropped += spans.length
  }

  const keepWaiting = (span: Span): void => {
    const spans = waiting.get(span.traceId)
    if (spans === undefined) waiting.set(span.traceId, [span])
    else spans.push(span)
    if (counts.queued > MAX_WAITING_SPANS) dropOldest()
  }

  const take = (span: Span): void => {
    const { traceId, parentId } = span
    if (written.has(traceId)) print([span])
    else if (parentId !== undefined) keepWaiting(span)
    else {
      const spans = waiting.get(traceId) ?? []
      waiting.delete(traceId)
      written.add(traceId)
      forgetOldest(written, MAX_WRITTEN_TRACES)
      print([...spans, span])
    }
  }

  return {
    next: (event) => {
      if (closed && event._tag !== 'SpanEnded') return
      const finished = closed ? 'orphan' : fold(event)
      if (finished === undefined) return
      counts.accepted++
      // A getter of it may throw.
      const span = finished === 'orphan' ? undefined : tried(() => toSpan(finished))
      if (span === undefined) counts.dropped++
      else {
        counts.queued++
        take(span)
      }
      changed()
    },
    flush: () => Promise.resolve().then(() => right({ ...NO_REPORT, queued: counts.queued })),
    close: () =>
      Promise.resolve().then(() => {
        closed = true
        const before = stats()
        const unfinished = [...waiting.values()]
        waiting.clear()
        let failure: Error | undefined
        for (const spans of unfinished) {
          const error = print(spans)
          failure ??= error
          changed()
        }
        const done: FlushReport = {
          ...NO_REPORT,
          delivered: counts.delivered - before.delivered,
          dropped: counts.dropped - before.dropped,
        }
        return failure === undefined
          ? right(done)
          : left({ failures: [{ sink: 'consoleSink', error: failure }], report: done })
      }),
    stats,
    stats$,
  }
}

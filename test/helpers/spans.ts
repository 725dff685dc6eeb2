import type { ExecutionContext } from 'ava'
import { TestScheduler } from 'rxjs/testing'
import type { FlushReport, Sink } from '../../dist/tracing/Sink.js'
import type { Span, SpanEnded, SpanStarted } from '../../dist/tracing/SpanEvent.js'

/** The id of a span by its number: 16 hex digits. */
export const idOf = (number: number): string => number.toString(16).padStart(16, '0')

/** The number of a span by its id. */
export const numberOf = ({ spanId }: Pick<Span, 'spanId'>): number => Number.parseInt(spanId, 16)

export const TRACE_ID = '4f2a9c1be07d4c5e8a3b6d7f90123456'

/** The start of a span: a task of no parent, unless told otherwise. */
export const started = (number: number, more: Partial<SpanStarted> = {}): SpanStarted => ({
  _tag: 'SpanStarted',
  traceId: TRACE_ID,
  spanId: idOf(number),
  at: 1_000 + number,
  parentId: undefined,
  name: `span ${number}`,
  type: 'task',
  path: '',
  workflow: 'flow',
  trace: 'flow',
  ...more,
})

/** The end of a span: fine, unless told otherwise. */
export const ended = (number: number, more: Partial<SpanEnded> = {}): SpanEnded => ({
  _tag: 'SpanEnded',
  traceId: TRACE_ID,
  spanId: idOf(number),
  at: 2_000 + number,
  status: 'ok',
  ...more,
})

/** Has spans begin and end at a sink. */
export const finish = (sink: Sink, ...numbers: ReadonlyArray<number>): void => {
  for (const number of numbers) {
    sink.next(started(number))
    sink.next(ended(number))
  }
}

/** Starts and ends spans with an output of so many characters. */
export const finishWith = (sink: Sink, size: number, ...numbers: ReadonlyArray<number>): void => {
  for (const number of numbers) {
    sink.next(started(number))
    sink.next(ended(number, { output: 'x'.repeat(size) }))
  }
}

/** The whole numbers from one to another, both included. */
export const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The report of a flush that had nothing to do. */
export const NOTHING: FlushReport = { delivered: 0, dropped: 0, rejected: 0, spooled: 0, queued: 0 }

/** The sum that makes up `accepted`. */
export const accounted = (sink: Sink): number => {
  const { delivered, dropped, rejected, spooled, queued, inFlight } = sink.stats()
  return delivered + dropped + rejected + spooled + queued + inFlight
}

/** Virtual time that a test moves by hand, so that promises run in between. One frame is 1 ms. */
export const virtualTime = (t: ExecutionContext) => {
  const scheduler = new TestScheduler((actual, expected) => t.deepEqual(actual, expected))
  const time = {
    scheduler,
    now: () => scheduler.now(),
    /** Lets so much time pass, and does what is due in it. */
    pass: (ms: number): void => {
      const until = scheduler.frame + ms
      scheduler.maxFrames = until
      scheduler.flush()
      scheduler.frame = until
    },
    /** Lets promises run. */
    settle: async (): Promise<void> => {
      for (let round = 0; round < 20; round++) await Promise.resolve()
    },
  }
  return time
}

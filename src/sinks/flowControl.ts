import { backoff } from '../http/backoff.js'
import { guarded, reporterOf } from '../tracing/guarded.js'
import type { BufferSettings } from './BufferPolicy.js'

/** A failure that may pass. */
export interface Setback {
  /** Until the next attempt, unless somebody hurries, ms. */
  readonly wait: number
  /** It met an attempt that was made before its time, because somebody hurried. */
  readonly wasEarly: boolean
}

/** When a server is asked next, and how much of it at once: what it made of the requests so far. */
export interface FlowControl {
  /** When the gate opens, before which nothing is sent, ms; `undefined` when it is open. */
  readonly opensAt: () => number | undefined
  /** Opens the gate if its time has come. */
  readonly passTime: () => void
  /** Opens the gate, whatever there was to wait for. */
  readonly hurry: () => void
  /** Requests that may be under way. */
  readonly maxInFlight: () => number
  readonly maxBatchSize: () => number
  readonly maxBatchBytes: () => number
  /** Nothing has failed since the server last took part. */
  readonly isTrusted: () => boolean
  /**
   * No flush waits for more: nothing works until somebody changes something, or all attempts for a batch failed, and it is
   * on the disk.
   */
  readonly isHopeless: () => boolean
  /** The server takes part: failures that may pass are over. */
  readonly talks: () => void
  /** Spans were delivered. */
  readonly delivers: () => void
  /**
   * Spans were refused: whoever refuses everything is not asked at full speed, two requests for each span.
   *
   * @param urgent - somebody waits for the others
   */
  readonly refuses: (spans: number, urgent: boolean) => void
  /**
   * A failure that may pass.
   *
   * @param after - what the server asks for, ms
   */
  readonly failsForNow: (after: number | undefined) => Setback
  /** After `failsForNow`: that was the last attempt for a batch; the disk gives it back, and has no count of attempts. */
  readonly exhausts: (wait: number) => void
  /** The server would not talk to us: later, one span asks whether it does. */
  readonly holdOff: (after?: number) => void
  /** A batch of so many bytes was too large: the ones to come are half of that. */
  readonly findsTooLarge: (bytes: number) => void
  /** A batch of so many bytes did not get through in time: the ones to come are half of that, and grow again. */
  readonly runsOutOfTime: (bytes: number) => void
}

/** A server that finds batches of this size too large is not believed: only the batch at hand is split. */
const SMALLEST_BATCH_BYTES = 65_536

/** How much more a slow connection is given with each batch that gets through. */
const GROWTH = 1.125

/** Spans refused in a row, without any delivered, after which the server is asked more slowly. */
const MANY_REFUSALS = 20

/** A server that refuses us is left alone at least so long, whatever policy, chance and server say, ms. */
const SHORTEST_PAUSE = 100

/** And it is asked again after so long, ms, whatever it says: it may recover sooner, and the queue is finite. */
const LONGEST_PAUSE = 600_000

const pauseOf = (wait: number): number => Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, wait))

/** Makes the flow control for a server to which nothing has been sent yet. */
export const flowControl = (settings: BufferSettings, now: () => number): FlowControl => {
  const { retry } = settings
  const report = reporterOf('RESPAN_DELIVERY', (thrown) => `the random of a BufferPolicy threw: ${thrown}`)
  /** Closed until a time, ms; `paused` when nothing works until somebody changes something. */
  let gate: { readonly until: number; readonly paused: boolean } | undefined
  /** Failures since the server last took part: the exponent of the backoff. */
  let failures = 0
  /** The next batch is a single span. */
  let probing = false
  /** All attempts for a batch failed, and it is on the disk. */
  let exhausted = false
  /** What is under way was sent before its time. */
  let early = false
  /** Spans refused since one was delivered. */
  let refusals = 0
  let batchBytes = settings.maxBatchBytes
  /** What gets through in time. */
  let timelyBytes = Number.POSITIVE_INFINITY

  /** One half, where the policy's own `random` throws or gives no such number: a wait of `NaN` would never be over. */
  const random = (): number => {
    const chance = guarded(report, settings.random)
    return typeof chance === 'number' && chance >= 0 && chance < 1 ? chance : 0.5
  }

  /** Shuts the gate. Several requests in flight may fail: the latest time counts. Returns the wait, ms. */
  const shut = (wait: number, { paused = false } = {}): number => {
    const until = Math.max(now() + wait, gate?.until ?? 0)
    gate = { until, paused: paused || gate?.paused === true }
    return until - now()
  }

  /** A server may ask for a shorter wait than the policy's, but while it keeps failing, a small backoff still applies. */
  const nextWait = (after: number | undefined): number =>
    after === undefined
      ? backoff(retry, failures, random)
      : Math.max(after, backoff({ ...retry, delay: Math.min(retry.delay, SHORTEST_PAUSE) }, failures, random))

  return {
    opensAt: () => gate?.until,
    passTime: () => {
      if (gate !== undefined && now() >= gate.until) gate = undefined
    },
    hurry: () => {
      early ||= gate !== undefined && now() < gate.until
      gate = undefined
      exhausted = false
    },
    maxInFlight: () => (failures > 0 ? 1 : settings.maxInFlight),
    maxBatchSize: () => (probing ? 1 : settings.maxBatchSize),
    maxBatchBytes: () => Math.min(batchBytes, timelyBytes),
    isTrusted: () => failures === 0,
    isHopeless: () => exhausted || gate?.paused === true,
    talks: () => {
      failures = 0
      probing = false
      exhausted = false
      early = false
    },
    delivers: () => {
      refusals = 0
      timelyBytes *= GROWTH
    },
    refuses: (spans, urgent) => {
      refusals += spans
      if (refusals < MANY_REFUSALS) return
      shut(urgent ? SHORTEST_PAUSE : pauseOf(backoff(retry, refusals - MANY_REFUSALS + 1, random)))
    },
    failsForNow: (after) => {
      failures++
      const wasEarly = early
      early = false
      return { wait: shut(Math.min(LONGEST_PAUSE, nextWait(after))), wasEarly }
    },
    exhausts: (wait) => {
      exhausted = true
      // Whatever the policy says, this is no loop.
      shut(pauseOf(wait))
    },
    holdOff: (after) => {
      failures++
      probing = true
      early = false
      shut(pauseOf(nextWait(after)), { paused: true })
    },
    findsTooLarge: (bytes) => {
      batchBytes = Math.min(batchBytes, Math.max(SMALLEST_BATCH_BYTES, bytes / 2))
    },
    runsOutOfTime: (bytes) => {
      timelyBytes = Math.min(timelyBytes, Math.max(SMALLEST_BATCH_BYTES, bytes / 2))
    },
  }
}

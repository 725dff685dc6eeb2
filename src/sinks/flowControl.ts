import { backoff } from '../http/backoff.js'
import { guarded, reporterOf } from '../tracing/guarded.js'
import type { BufferSettings } from './BufferPolicy.js'

/** A transient failure. */
export interface Setback {
  /** Time until the next attempt, unless a flush comes first, ms. */
  readonly wait: number
  /** Whether the attempt that failed was made before its time, because of a flush. */
  readonly wasEarly: boolean
}

/** When to send to a server next, and how much at once, given the outcomes so far: through a gate that may be shut. */
export interface FlowControl {
  /** When the gate opens, ms; `undefined` if it is open. */
  readonly opensAt: () => number | undefined
  /** Opens the gate if its time has come. */
  readonly openIfDue: () => void
  /** Opens the gate before its time. */
  readonly openNow: () => void
  readonly maxInFlight: () => number
  readonly maxBatchSize: () => number
  readonly maxBatchBytes: () => number
  /** Whether nothing has failed since the server last answered properly. */
  readonly isHealthy: () => boolean
  /**
   * Whether no flush should wait any longer: the sink is paused, or the retries of a batch are exhausted and it is on the
   * disk.
   */
  readonly isHopeless: () => boolean
  /** A batch is about to be sent. */
  readonly departed: () => void
  /** The server answered properly: transient failures are over. */
  readonly responded: () => void
  /** Spans were delivered. */
  readonly delivered: () => void
  /**
   * Spans were rejected. Isolating a span takes up to two requests, so a server that rejects all of them is sent to more
   * slowly.
   *
   * @param urgent - whether a flush is waiting
   */
  readonly rejected: (spans: number, urgent: boolean) => void
  /**
   * An attempt failed, perhaps transiently.
   *
   * @param after - how long the server asks clients to wait, ms
   */
  readonly failed: (after: number | undefined) => Setback
  /**
   * To be called after `failed` if that was the last attempt for a batch, which is now spooled. It will be read back
   * without its count of attempts.
   */
  readonly retriesExhausted: (wait: number) => void
  /** The server refuses to talk to us: shuts the gate, and probes with one span when it opens. */
  readonly pause: (after?: number) => void
  /** A batch of so many bytes was too large: further ones get half of that. */
  readonly batchTooLarge: (bytes: number) => void
  /** A batch of so many bytes timed out: further ones get half of that, and grow again. */
  readonly batchTimedOut: (bytes: number) => void
}

/** The limit never falls below this. If the server finds even such a batch too large, only that batch is split. */
const SMALLEST_BATCH_BYTES = 65_536

/** The factor by which batches on a slow connection grow with each one that gets through. */
const GROWTH = 1.125

/** Number of rejected spans in a row after which the sink slows down. */
const MANY_REJECTIONS = 20

/** The shortest pause, whatever the policy, the jitter and the server say, ms. */
const SHORTEST_PAUSE = 100

/** The longest pause, whatever the server says, ms: it may recover sooner, and the queue is finite. */
const LONGEST_PAUSE = 600_000

const pauseOf = (wait: number): number => Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, wait))

/** Makes the flow control for a server to which nothing has been sent yet. */
export const flowControl = (settings: BufferSettings, now: () => number): FlowControl => {
  const { retry } = settings
  const report = reporterOf(
    'RESPAN_DELIVERY',
    (thrown) => `the random function of a BufferPolicy threw: ${thrown}`,
  )
  /** Shut until a time, ms; `paused` if nothing works until a key, an address or a quota is changed. */
  let gate: { readonly until: number; readonly paused: boolean } | undefined
  /**
   * Failures since the server last answered properly: the exponent of the backoff. Those of requests that were under way
   * together count as one.
   */
  let failures = 0
  /** Whether anything was sent since the last failure. While the server fails, that is only when nothing else is under way. */
  let departedSince = false
  /** The next batch is a single span. */
  let probing = false
  /** The retries of a batch are exhausted, and it is on the disk. */
  let exhausted = false
  /** Whatever is in flight was sent before its time. */
  let early = false
  /** Spans rejected since one was delivered. */
  let rejections = 0
  let batchBytes = settings.maxBatchBytes
  /** The size of batch that does not time out. */
  let timelyBytes = Number.POSITIVE_INFINITY

  /** 0.5 if the policy's `random` throws or returns anything else: a wait of `NaN` would never end. */
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

  /** Counts a failure, unless its request was under way when another one failed. */
  const count = (): void => {
    if (departedSince || failures === 0) failures++
    departedSince = false
  }

  /** A server may ask for a shorter wait than the policy's, but while it keeps failing, a small backoff still applies. */
  const nextWait = (after: number | undefined): number =>
    after === undefined
      ? backoff(retry, failures, random)
      : Math.max(after, backoff({ ...retry, delay: Math.min(retry.delay, SHORTEST_PAUSE) }, failures, random))

  return {
    opensAt: () => gate?.until,
    openIfDue: () => {
      if (gate !== undefined && now() >= gate.until) gate = undefined
    },
    openNow: () => {
      early ||= gate !== undefined && now() < gate.until
      gate = undefined
      exhausted = false
    },
    maxInFlight: () => (failures > 0 ? 1 : settings.maxInFlight),
    maxBatchSize: () => (probing ? 1 : settings.maxBatchSize),
    maxBatchBytes: () => Math.min(batchBytes, timelyBytes),
    isHealthy: () => failures === 0,
    isHopeless: () => exhausted || gate?.paused === true,
    departed: () => {
      departedSince = true
    },
    responded: () => {
      failures = 0
      probing = false
      exhausted = false
      early = false
    },
    delivered: () => {
      rejections = 0
      timelyBytes *= GROWTH
    },
    rejected: (spans, urgent) => {
      rejections += spans
      if (rejections < MANY_REJECTIONS) return
      shut(urgent ? SHORTEST_PAUSE : pauseOf(backoff(retry, rejections - MANY_REJECTIONS + 1, random)))
    },
    failed: (after) => {
      count()
      const wasEarly = early
      early = false
      return { wait: shut(Math.min(LONGEST_PAUSE, nextWait(after))), wasEarly }
    },
    retriesExhausted: (wait) => {
      exhausted = true
      // At least the shortest pause, so that a policy without delays does not cause a tight loop.
      shut(pauseOf(wait))
    },
    pause: (after) => {
      count()
      probing = true
      early = false
      shut(pauseOf(nextWait(after)), { paused: true })
    },
    batchTooLarge: (bytes) => {
      batchBytes = Math.min(batchBytes, Math.max(SMALLEST_BATCH_BYTES, bytes / 2))
    },
    batchTimedOut: (bytes) => {
      timelyBytes = Math.min(timelyBytes, Math.max(SMALLEST_BATCH_BYTES, bytes / 2))
    },
  }
}

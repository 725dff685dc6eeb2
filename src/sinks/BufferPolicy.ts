import type { SchedulerLike } from 'rxjs'
import type { RetryPolicy } from '../http/Connection.js'
import { isWorkers } from '../tracing/isWorkers.js'
import { warn } from '../tracing/warn.js'
import { keysOf } from '../util/keysOf.js'
import { picked } from '../util/picked.js'
import type { Spool } from './Spool.js'
import { warnAtExit } from './warnAtExit.js'
import { isExiting } from './watchLifecycle.js'

/** An out-of-band warning of a sink: what it lost, or why it waits. Each kind is rate-limited, never one per span. */
export interface DeliveryWarning {
  /** `RESPAN_DELIVERY`, or `RESPAN_MISSING_API_KEY`. */
  readonly code: string
  /** One line, without secrets, and without content unless a server's answer repeats some. */
  readonly message: string
  /** The error that caused it, if any. */
  readonly error?: unknown
}

/** How a sink buffers and retries. */
export interface BufferPolicy {
  /** Maximum number of spans in one request; capped at `maxQueueSize`. Default 100. */
  readonly maxBatchSize?: number
  /** Maximum estimated bytes in one request; capped at half of `maxQueueBytes`. Default 4 MiB. */
  readonly maxBatchBytes?: number
  /** How long a finished span waits for a batch to fill up, ms. Default 1000. */
  readonly maxDelay?: number
  /** Maximum number of queued spans; those in flight, or put back after a failure, come on top. Default 10,000. */
  readonly maxQueueSize?: number
  /** Maximum estimated bytes of the queued spans. Default 64 MiB. */
  readonly maxQueueBytes?: number
  /** Which span is dropped when the queue is full: none while a spool has room. Default `drop-newest`. */
  readonly overflow?: 'drop-newest' | 'drop-oldest'
  /**
   * Maximum number of concurrent requests; from a page that is hidden or left, as many as may outlive it. Default 1; in
   * Cloudflare Workers 100, because there each request ends with the handler that flushed it.
   */
  readonly maxInFlight?: number
  /**
   * How often a batch is retried after a transient failure before it is dropped or spooled. Defaults: `count` 20,
   * `delay` 1000, `maxDelay` 30,000, `deadline` 600,000 (from a batch's first failure to its last attempt); `statuses`
   * 408, 409, 425, 429 and all from 500. A server's `Retry-After` replaces `delay` and `maxDelay`, up to ten minutes; if
   * a short one is repeated, the waits grow nevertheless.
   */
  readonly retry?: RetryPolicy
  /** Limit of one attempt, ms; the transport's own limit applies as well, so the shorter one wins. Default 60,000. */
  readonly timeout?: number
  /** How long `flush` and `close` wait at most, ms. Default 30,000. */
  readonly flushTimeout?: number
  /** Keeps spans on disk: those that could not be delivered, or all until they are delivered. Default: none. */
  readonly spool?: Spool
  /** The source of time. Default: real time, with timers that keep a process alive only while a flush waits. */
  readonly scheduler?: SchedulerLike
  /** For the jitter: returns a number from 0 (inclusive) to 1 (exclusive). Default `Math.random`. */
  readonly random?: () => number
  /**
   * Called out of band with what was lost and why. Default: a process warning in Node, elsewhere `console.warn`. The
   * first error that it throws is reported in the same way.
   */
  readonly onWarning?: (warning: DeliveryWarning) => void
}

/** A validated policy with its defaults. */
export type BufferSettings = Required<Omit<BufferPolicy, 'scheduler' | 'spool' | 'retry'>> & {
  readonly scheduler: SchedulerLike | undefined
  readonly spool: Spool | undefined
  readonly retry: Required<Omit<RetryPolicy, 'statuses'>> & Pick<RetryPolicy, 'statuses'>
}

/** Defaults of `retry`. Without `statuses`, `deliveryDecision` decides which ones are transient. */
const RETRY = { count: 20, delay: 1_000, maxDelay: 30_000, deadline: 600_000 }

/** Fills in the defaults of a validated policy. */
export const bufferSettings = (policy: BufferPolicy): BufferSettings => {
  const { retry = {}, maxQueueSize = 10_000, maxQueueBytes = 64 * 2 ** 20 } = policy
  return {
    // A batch must fill up before the queue does. It gets only half of the bytes, because the next span may be large.
    maxBatchSize: Math.min(policy.maxBatchSize ?? 100, maxQueueSize),
    maxBatchBytes: Math.min(policy.maxBatchBytes ?? 4 * 2 ** 20, Math.ceil(maxQueueBytes / 2)),
    maxDelay: policy.maxDelay ?? 1_000,
    maxQueueSize,
    maxQueueBytes,
    overflow: policy.overflow ?? 'drop-newest',
    maxInFlight: policy.maxInFlight ?? (isWorkers() ? 100 : 1),
    retry: { ...RETRY, ...picked(retry, [...keysOf(RETRY), 'statuses']) },
    timeout: policy.timeout ?? 60_000,
    flushTimeout: policy.flushTimeout ?? 30_000,
    spool: policy.spool,
    scheduler: policy.scheduler,
    random: policy.random ?? Math.random,
    onWarning: policy.onWarning ?? (({ code, message }) => (isExiting() ? warnAtExit : warn)(code, message)),
  }
}

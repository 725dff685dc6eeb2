import type { SchedulerLike } from 'rxjs'
import { keysOf } from '../codecs/keysOf.js'
import { picked } from '../codecs/picked.js'
import type { RetryPolicy } from '../http/Connection.js'
import { isWorkers } from '../tracing/isWorkers.js'
import { warn } from '../tracing/warn.js'
import { isExiting } from './addLifecycleHooks.js'
import type { Spool } from './Spool.js'
import { warnAtExit } from './warnAtExit.js'

/** What a sink has to say out of band: what it lost, or why it waits. Each kind is told rarely, never once per span. */
export interface DeliveryWarning {
  /** `RESPAN_DELIVERY`, or `RESPAN_MISSING_API_KEY`. */
  readonly code: string
  /** One line, without secrets; of content, only what a server repeats. */
  readonly message: string
  /** What it was caused by, if an error. */
  readonly error?: unknown
}

/** How a sink buffers, and how patiently it delivers. */
export interface BufferPolicy {
  /** Spans in one request; at most `maxQueueSize`. Default 100. */
  readonly maxBatchSize?: number
  /** Estimated bytes in one request; at most half of `maxQueueBytes`. Default 4 MiB. */
  readonly maxBatchBytes?: number
  /** How long a finished span waits for others at most, ms. Default 1000. */
  readonly maxDelay?: number
  /** Spans that wait at most, besides those in flight and those that come back from there. Default 10,000. */
  readonly maxQueueSize?: number
  /** Estimated bytes of these spans at most. Default 64 MiB. */
  readonly maxQueueBytes?: number
  /** Which span is given up when the queue is full. Default `drop-newest`. With a spool none is, while that has room. */
  readonly overflow?: 'drop-newest' | 'drop-oldest'
  /**
   * Requests at the same time; from a page that is hidden or left as many as may outlive it. Default 1; in Cloudflare's
   * Workers 100, since there each ends with whoever flushed it.
   */
  readonly maxInFlight?: number
  /**
   * How often a batch is sent again after a failure that may pass; then it is dropped, or spooled. Defaults: `count` 20,
   * `delay` 1000, `maxDelay` 30,000, `deadline` 600,000 (from a batch's first failure to its last attempt); `statuses`
   * 408, 409, 425, 429 and all from 500. A server's `Retry-After` counts instead of `delay` and `maxDelay`, up to ten
   * minutes; a short one that comes again and again counts less and less.
   */
  readonly retry?: RetryPolicy
  /** Limit of one attempt, ms; the transport's own counts as well, so the shorter one ends it. Default 60,000. */
  readonly timeout?: number
  /** How long `flush` and `close` wait at most, ms. Default 30,000. */
  readonly flushTimeout?: number
  /** Keeps on a disk what could not be delivered, or everything until it is. Default: none. */
  readonly spool?: Spool
  /** Whose time counts. Default: real time, with timers that keep a process alive for a flush alone. */
  readonly scheduler?: SchedulerLike
  /** From 0 up to, but not including, 1: for the jitter. Default `Math.random`. */
  readonly random?: () => number
  /**
   * Is told out of band what was lost and why. Default: a Node process warning, elsewhere `console.warn`. The first
   * error that it throws is reported in the same way.
   */
  readonly onWarning?: (warning: DeliveryWarning) => void
}

/** A checked policy with its defaults. */
export type BufferSettings = Required<Omit<BufferPolicy, 'scheduler' | 'spool' | 'retry'>> & {
  readonly scheduler: SchedulerLike | undefined
  readonly spool: Spool | undefined
  readonly retry: Required<Omit<RetryPolicy, 'statuses'>> & Pick<RetryPolicy, 'statuses'>
}

/** Defaults of `retry`; without `statuses`, `deliveryDecision` knows which ones may pass. */
const RETRY = { count: 20, delay: 1_000, maxDelay: 30_000, deadline: 600_000 }

/** Fills in the defaults of a checked policy. */
export const bufferSettings = (policy: BufferPolicy): BufferSettings => {
  const { retry = {}, maxQueueSize = 10_000, maxQueueBytes = 64 * 2 ** 20 } = policy
  return {
    // A batch must be full before the queue is: of its bytes it gets half, since the next span may have many.
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

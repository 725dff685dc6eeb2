import * as t from 'io-ts'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { refuse } from '../codecs/refuse.js'
import { callable, integerWithin, numberWithin, oneOf } from '../codecs/wire.js'
import { LONGEST_TIMER, RetryOptions } from '../http/connectionPolicy.js'
import type { Sink } from '../tracing/Sink.js'
import { type BufferPolicy, bufferSettings } from './BufferPolicy.js'
import { buffering } from './buffering.js'
import { spooling } from './spooling.js'
import type { Transport } from './Transport.js'

const milliseconds = numberWithin(0, LONGEST_TIMER)

const limit = t.refinement(t.number, (ms) => ms > 0, 'number of ms above 0, or Infinity')

const Policy = closed(
  t.partial(
    {
      maxBatchSize: integerWithin(1),
      maxBatchBytes: integerWithin(1),
      maxDelay: milliseconds,
      maxQueueSize: integerWithin(1),
      maxQueueBytes: integerWithin(1),
      overflow: oneOf('drop-newest', 'drop-oldest'),
      maxInFlight: integerWithin(1),
      retry: RetryOptions,
      timeout: limit,
      flushTimeout: milliseconds,
      spool: t.type({ name: t.string, strength: oneOf('on-failure', 'always'), open: callable }, 'a spool'),
      scheduler: t.type({ now: callable, schedule: callable }, 'a scheduler'),
      random: callable,
      onWarning: callable,
    },
    'BufferPolicy',
  ),
)

/**
 * Buffers finished spans and delivers them in batches: a bounded queue over a transport.
 *
 * - *When does it start?* With the first finished span, or at a flush if there is a spool; until then it holds no timer
 *   and no listener. A batch is sent when it is full, or when its oldest span has waited for `maxDelay`; never inside
 *   `next`, which returns at once and never throws.
 * - *Is it lossless?* Yes, as long as the queue has room, the server accepts the spans, and an outage does not last
 *   longer than the retries. The server's answer decides: a transient failure is retried, with a growing random delay or
 *   when the server says; a refused key or address pauses the sink, which keeps its spans and probes with a single one;
 *   a refused batch is split until the offending span is found; and one that times out is sent in smaller batches. Lost
 *   spans are counted, and reported out of band.
 * - *Once, or at least once?* At least once: a batch whose answer was lost is sent again. If a process is killed just
 *   after it delivered a batch, the next process sends it again from the spool. A span keeps its ids, so a server that
 *   is idempotent by span id stores it once.
 * - *What is buffered?* Finished spans, at most `maxQueueSize` and `maxQueueBytes`, besides those in flight. Of the
 *   spans that have not ended, the newest 100,000 are remembered.
 * - *What happens when it is full?* `overflow` decides whether the newest or the oldest spans are dropped, and they are
 *   counted. With a `spool`, the oldest ones go to the disk instead, as do spans whose retries are exhausted, and those
 *   that `close` could not deliver. Spans on the disk are delivered before any newer ones: by the next flush, in the
 *   background once the server takes spans again, or by the next process that shares the spool, which then counts them
 *   as accepted. If the disk is full or broken, the sink warns, and goes on as if there were no spool.
 * - *What do `flush` and `close` promise?* To try at once, even when the sink is paused or waits to retry, and to
 *   resolve when the outcome of every span that ended before is known, including those already in flight; at the latest
 *   after `flushTimeout`, and earlier if nothing more can be expected by then. `Right` if all of them were delivered,
 *   otherwise `Left` with the reasons and the counts. What `flush` could not deliver stays queued; what `close` could
 *   not deliver is spooled, or dropped without a spool. They never reject.
 * - *What if the process ends?* A Node process that runs out of work delivers first, waiting up to five seconds for
 *   retries; a page that is hidden or left sends what fits into a request that outlives it. `process.exit()` and
 *   uncaught errors write the queued spans to the spool. Signals and `kill -9` don't: only a spool with the strength
 *   `always` has the spans then. Without a spool, all of these lose the queued spans, and only the first two warn: call
 *   `close` before.
 *
 * At every moment `accepted = delivered + dropped + rejected + spooled + queued + inFlight`. A span whose start the
 * sink has not seen counts as dropped when it ends.
 *
 * @param transport - delivers a batch; whatever it does, the sink copes, even if it throws or never answers
 * @param policy - bounds, retries, time and randomness
 * @throws InvalidInput if there is no transport, or the policy is wrong
 */
export const bufferedSink = (transport: Transport, policy: BufferPolicy = {}): Sink => {
  if (typeof transport !== 'function')
    refuse('bufferedSink', 'transport', 'a transport, such as respanTransport()', transport)
  checked('bufferedSink', Policy, policy)
  return buffering(transport, bufferSettings(policy), spooling)
}

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

const limit = t.refinement(t.number, (ms) => ms > 0, 'ms above 0, or Infinity')

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
 * - *When does it start?* With the first finished span, or a flush with a spool; before, it holds no timer and no
 *   listener. A batch goes out when it is full, or when its oldest span has waited for `maxDelay`; never inside `next`,
 *   which takes no time and never throws.
 * - *Is it lossless?* As long as the queue has room, the server accepts the spans, and it comes back in time. What
 *   the server answers decides: it is asked again with a growing, random delay or when it
 *   says so; a refused key or address pauses the sink, which keeps what it has and probes with one span; a refused
 *   batch is taken apart until the offending span is found, and one that does not get through in time is sent in
 *   smaller ones. What was lost is counted, and told out of band.
 * - *Once, or at least once?* At least once: a batch whose answer was lost is sent again, and so is one that a process
 *   had just delivered when it was killed, by the next process from the spool. A span keeps its ids, whoever sends it,
 *   so a server that is idempotent by span id stores it once.
 * - *What is buffered?* Finished spans, at most `maxQueueSize` and `maxQueueBytes`, besides what is in flight. Spans
 *   under way are remembered until they end, the newest 100,000 of them.
 * - *What happens when it is full?* `overflow` decides: the newest or the oldest spans are dropped, and counted. With
 *   a `spool` the oldest ones go to the disk instead, as do those that all attempts failed for, and what `close` could
 *   not deliver. What is on the disk is delivered before anything newer: by the next flush, in the background once the
 *   server takes spans again, or by the next process that shares the spool, to which it counts as accepted. A disk
 *   that is full or broken is told, and then it is as if there were none.
 * - *What do `flush` and `close` promise?* To try at once, even when paused or waiting to retry, and to be done when
 *   every span that ended before has met its fate, also those which were in flight already; at the latest after
 *   `flushTimeout`, and earlier when nothing more can be expected by then. `Right` when all of them were delivered,
 *   otherwise `Left` with the reasons and the counts. What `flush` could not deliver stays queued; what `close` could
 *   not deliver is spooled, or dropped without a spool. They never reject.
 * - *What if the process ends?* A Node process that runs out of work delivers first, waiting up to five seconds for
 *   retries; a page that is hidden or left sends what fits into a request that outlives it. `process.exit()` and
 *   uncaught errors write what is queued to the spool, signals and `kill -9` don't: only a spool with the strength
 *   `always` has it then. Without a spool all of these lose what is queued, which the first two tell: call `close`
 *   before.
 *
 * At every moment `accepted = delivered + dropped + rejected + spooled + queued + inFlight`. An end whose start the
 * sink has not seen counts as dropped.
 *
 * @param transport - takes a batch; whatever it does, throwing or never answering included, is dealt with
 * @param policy - bounds, patience, time and chance
 * @throws InvalidInput when there is no transport, or the policy is wrong
 */
export const bufferedSink = (transport: Transport, policy: BufferPolicy = {}): Sink => {
  if (typeof transport !== 'function')
    refuse('bufferedSink', 'transport', 'a transport, such as respanTransport() makes', transport)
  checked('bufferedSink', Policy, policy)
  return buffering(transport, bufferSettings(policy), spooling)
}

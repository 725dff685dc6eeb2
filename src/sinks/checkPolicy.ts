import * as t from 'io-ts'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { callable, integerWithin, numberWithin, oneOf } from '../codecs/wire.js'
import { LONGEST_TIMER, RetryOptions } from '../http/connectionPolicy.js'
import type { BufferPolicy } from './BufferPolicy.js'

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
 * Checks a policy as the user wrote it.
 *
 * @throws InvalidInput with the path of the first wrong option
 */
export const checkPolicy = (policy: BufferPolicy): void => {
  checked('bufferedSink', Policy, policy)
}

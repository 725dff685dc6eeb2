import { inspect } from 'node:util'
import test from 'ava'
import {
  HttpError,
  isRetryable,
  matchError,
  NetworkError,
  RateLimited,
  type Reply,
  type RespanError,
  StreamInterrupted,
  Timeout,
} from 'respan-rx'
import { withPartial } from '../dist/errors.js'

const partial: Reply = {
  replies: ['so far'],
  meta: [{ model: 'm', index: 0, finish_reason: null }],
  messages: [{ role: 'assistant', content: 'so far' }],
}

test('a console prints of a failed call what is known of it, and nothing else', (t) => {
  t.notRegex(inspect(new Timeout('idle', 5)), /undefined/)
  const { requestId, logId, partial: none } = new NetworkError('gone')
  t.deepEqual([requestId, logId, none], [undefined, undefined, undefined])
  const known = inspect(new StreamInterrupted('cut', { requestId: 'req-1', logId: 'log-1', partial }))
  for (const field of [/requestId: 'req-1'/, /logId: 'log-1'/, /partial: \{/]) t.regex(known, field)
})

test('what had arrived is filled in where nothing was', (t) => {
  const error = new NetworkError('gone')
  t.is(withPartial(error, partial), error)
  t.is(error.partial, partial)
})

test('whatever catchError is given may be asked whether it is retryable', (t) => {
  t.true(isRetryable(new NetworkError('gone')))
  for (const foreign of [null, undefined, 'text', new TypeError('no'), { _tag: 'NetworkError' }])
    t.false(isRetryable(foreign))
})

for (const code of ['insufficient_quota', 'billing_hard_limit_reached'])
  test(`a quota that is used up (${code}) is not retryable`, (t) => {
    t.true(isRetryable(new RateLimited('no', {})))
    t.false(isRetryable(new RateLimited('no', { code })))
    t.false(isRetryable(new HttpError('no', { status: 503, code })))
  })

test('an error is folded by its tag', (t) => {
  const tagOf = ({ _tag }: RespanError): string => _tag
  const advice = matchError({
    MissingApiKey: tagOf,
    InvalidInput: tagOf,
    InvalidResponse: tagOf,
    HttpError: tagOf,
    RateLimited: tagOf,
    Timeout: ({ phase, limit }) => `${phase} after ${limit} ms`,
    NetworkError: tagOf,
    StreamInterrupted: tagOf,
    GatewayError: tagOf,
    Aborted: tagOf,
  })
  t.deepEqual([new Timeout('idle', 5), new NetworkError('gone')].map(advice), [
    'idle after 5 ms',
    'NetworkError',
  ])
})

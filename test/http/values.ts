import { execFile } from 'node:child_process'
import { inspect, promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import { left, right } from 'fp-ts/lib/Either.js'
import { InvalidInput, MissingApiKey } from '../../dist/errors.js'
import { answerIds } from '../../dist/http/answerIds.js'
import { backoff } from '../../dist/http/backoff.js'
import { hostOwner, isBaseUrl, openaiBaseUrl, respanBaseUrl } from '../../dist/http/baseUrl.js'
import { connectionPolicy } from '../../dist/http/connectionPolicy.js'
import { endpoint } from '../../dist/http/endpoint.js'
import { errorFromResponse } from '../../dist/http/errorFromResponse.js'
import { requestHeaders } from '../../dist/http/requestHeaders.js'
import { retryAfter } from '../../dist/http/retryAfter.js'
import { scrubber } from '../../dist/http/Scrub.js'
import { innermostCode, reasonOf, safeCause } from '../../dist/http/safeCause.js'
import { anything } from '../helpers/anything.js'
import { moduleFile } from '../helpers/moduleFile.js'

const KEY = 'sk-canary-0123456789'
const NOW = Date.UTC(2026, 2, 1, 12, 0, 0)

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  statusText: 'From the status line',
  headers: new Headers(headers),
  text: typeof body === 'string' ? body : JSON.stringify(body),
  ids: { requestId: 'req-1', logId: 'log-1' },
})

// ── base URLs

const RESPAN_URLS: ReadonlyArray<readonly [given: string, base: string]> = [
  ['https://api.respan.ai', 'https://api.respan.ai/api'],
  ['https://api.respan.ai/', 'https://api.respan.ai/api'],
  ['https://api.respan.ai/api', 'https://api.respan.ai/api'],
  ['https://api.respan.ai/api///', 'https://api.respan.ai/api'],
  [' \n https://api.respan.ai/api \t', 'https://api.respan.ai/api'],
  ['https://api.respan.ai/api?x=1#y', 'https://api.respan.ai/api'],
  ['https://api.respan.ai?x=/v1', 'https://api.respan.ai/api'],
  ['HTTPS://API.Respan.AI:443', 'https://api.respan.ai/api'],
  ['https://proxy.local/respan', 'https://proxy.local/respan'],
  ['https://proxy.local/respan/api/', 'https://proxy.local/respan/api'],
  ['https://proxy.local/API', 'https://proxy.local/API'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/api'],
  ['http://[::1]:8080//', 'http://[::1]:8080/api'],
]

for (const [given, base] of RESPAN_URLS) {
  test(`reads ${JSON.stringify(given)} as ${base}`, (t) => {
    t.deepEqual(respanBaseUrl(given), right(base))
  })
}

const OPENAI_URLS: ReadonlyArray<readonly [given: string, base: string]> = [
  ['https://api.openai.com/v1', 'https://api.openai.com/v1'],
  ['https://api.openai.com/v1//', 'https://api.openai.com/v1'],
  ['http://localhost:11434/v1?a=b', 'http://localhost:11434/v1'],
  ['http://localhost:4000', 'http://localhost:4000'],
]

for (const [given, base] of OPENAI_URLS) {
  test(`reads ${JSON.stringify(given)} for OpenAI as ${base}`, (t) => {
    t.deepEqual(openaiBaseUrl(given), right(base))
  })
}

for (const given of [
  '',
  'api.respan.ai',
  'localhost:8080',
  '/api',
  'ftp://respan.ai',
  'file:///etc',
  'http://',
  'data:,x',
  'https://api.respan.ai/api/chat/completions',
  'http://localhost:1/v1/chat/completions/',
]) {
  test(`refuses ${JSON.stringify(given)} as a base URL`, (t) => {
    t.is(respanBaseUrl(given)._tag, 'Left')
    t.is(openaiBaseUrl(given)._tag, 'Left')
  })
}

for (const given of [
  `https://user:${KEY}@api.respan.ai`,
  `https://${KEY}@api.respan.ai/api`,
  `no url ${KEY}`,
]) {
  test(`refuses ${given} as a base URL without repeating it`, (t) => {
    const refused = respanBaseUrl(given)
    t.is(refused._tag, 'Left')
    t.false(JSON.stringify(refused).includes(KEY))
  })
}

const ALONE = { found: 'a bare path, which works only in a page served over http(s)' }

test("a path is one of the page's own server, where there is a page", (t) => {
  const page = (origin: string): boolean =>
    Reflect.defineProperty(globalThis, 'location', { value: { origin }, configurable: true })
  const before = Object.getOwnPropertyDescriptor(globalThis, 'location')
  t.teardown(() => {
    Reflect.deleteProperty(globalThis, 'location')
    if (before !== undefined) Reflect.defineProperty(globalThis, 'location', before)
  })
  // A server loads the files of a page, and asks for none of it.
  t.true(isBaseUrl('/api'))
  t.false(isBaseUrl('//other.local/api'))
  t.like(respanBaseUrl('/api'), { left: ALONE })
  t.true(page('https://app.local:8443'))
  t.true(isBaseUrl('/api'))
  t.deepEqual(respanBaseUrl(' /api/respan/ '), right('https://app.local:8443/api/respan'))
  t.deepEqual(respanBaseUrl('/'), right('https://app.local:8443/api'))
  t.deepEqual(openaiBaseUrl('/v1'), right('https://app.local:8443/v1'))
  t.deepEqual(respanBaseUrl('https://proxy.local/x'), right('https://proxy.local/x'))
  for (const given of ['//other.local/api', 'api', '../api', ''])
    t.is(respanBaseUrl(given)._tag, 'Left', given)
  t.true(page('https://other.local'))
  t.deepEqual(openaiBaseUrl('/v1'), right('https://other.local/v1'))
  // That of a file.
  t.true(page('null'))
  t.like(respanBaseUrl('/api'), { left: ALONE })
  t.false(isBaseUrl('/api'))
})

testProp(
  'law: a normalised base URL normalises to itself',
  [fc.webUrl({ withQueryParameters: true })],
  (t, url) => {
    for (const normalise of [respanBaseUrl, openaiBaseUrl]) {
      const once = normalise(url)
      t.is(once._tag, 'Right')
      if (once._tag === 'Right') t.deepEqual(normalise(once.right), once)
    }
  },
)

test('reads a path of a million slashes in linear time', (t) => {
  t.deepEqual(respanBaseUrl(`https://proxy.local/x${'/'.repeat(1_000_000)}`), right('https://proxy.local/x'))
  t.is(respanBaseUrl(`https://proxy.local${'/'.repeat(1_000_000)}x`)._tag, 'Right')
})

test('tells the hosts of a platform from those that only look like them', (t) => {
  const respan = [
    'https://api.respan.ai/api',
    'https://respan.ai',
    'https://API.RESPAN.AI./',
    'https://api.keywordsai.co',
  ]
  const others = [
    'https://respan.ai.evil.test',
    'https://notrespan.ai',
    'https://evil.test/respan.ai',
    'http://127.0.0.1',
  ]
  for (const url of respan) t.is(hostOwner(url), 'respan', url)
  for (const url of others) t.not(hostOwner(url), 'respan', url)
  t.is(hostOwner('https://api.openai.com/v1'), 'openai')
  t.is(hostOwner('https://api.respan.ai'), 'respan')
})

// ── endpoint: which key goes where

test("demands a key for the platforms' own hosts", (t) => {
  t.deepEqual(endpoint('respan', {}, {}), left(new MissingApiKey('RESPAN_API_KEY')))
  t.deepEqual(endpoint('openai', {}, {}), left(new MissingApiKey('OPENAI_API_KEY')))
  t.deepEqual(endpoint('respan', { apiKey: '  ' }, {}), left(new MissingApiKey('RESPAN_API_KEY')))
  t.deepEqual(
    endpoint('respan', { baseUrl: 'https://endpoint.respan.ai' }, {}),
    left(new MissingApiKey('RESPAN_API_KEY')),
  )
})

test('demands no key for another host', (t) => {
  const baseUrl = 'http://127.0.0.1:11434/v1'
  t.deepEqual(endpoint('openai', { baseUrl }, {}), right({ baseUrl, apiKey: undefined }))
  t.deepEqual(endpoint('respan', { baseUrl }, {}), right({ baseUrl, apiKey: undefined }))
})

test('demands no key when the authorization is given as a header', (t) => {
  t.is(endpoint('respan', { headers: { Authorization: 'Bearer x' } }, {})._tag, 'Right')
})

test('prefers what is given to the environment, and trims both', (t) => {
  const environment = { RESPAN_API_KEY: 'from-env', RESPAN_BASE_URL: 'https://env.test' }
  t.deepEqual(
    endpoint('respan', { apiKey: ' given\n', baseUrl: 'https://given.test' }, environment),
    right({ baseUrl: 'https://given.test/api', apiKey: 'given' }),
  )
  t.deepEqual(
    endpoint('respan', { baseUrl: ' ' }, environment),
    right({ baseUrl: 'https://env.test/api', apiKey: 'from-env' }),
  )
})

test("never gives a platform the other one's key of the environment", (t) => {
  const both = { RESPAN_API_KEY: 'of-respan', OPENAI_API_KEY: 'of-openai' }
  const keyOf = (platform: 'respan' | 'openai', baseUrl: string, environment: object) => {
    const found = endpoint(platform, { baseUrl }, environment)
    return found._tag === 'Right' ? found.right.apiKey : found.left
  }
  const respan = 'https://api.respan.ai/api'
  const openai = 'https://api.openai.com/v1'
  t.is(keyOf('openai', respan, both), 'of-respan')
  t.is(keyOf('respan', openai, both), 'of-openai')
  t.deepEqual(keyOf('openai', respan, { OPENAI_API_KEY: 'of-openai' }), new MissingApiKey('RESPAN_API_KEY'))
  t.deepEqual(keyOf('respan', openai, { RESPAN_API_KEY: 'of-respan' }), new MissingApiKey('OPENAI_API_KEY'))
  t.deepEqual(
    endpoint('respan', {}, { OPENAI_API_KEY: 'of-openai' }),
    left(new MissingApiKey('RESPAN_API_KEY')),
  )
})

test('refuses what the environment holds by the name of its variable, without repeating it', (t) => {
  const url = endpoint('respan', { apiKey: KEY }, { RESPAN_BASE_URL: `https://${KEY}@respan.ai` })
  const key = endpoint('respan', {}, { RESPAN_API_KEY: `${KEY}\nx: y` })
  for (const [refused, variable] of [
    [url, 'RESPAN_BASE_URL'],
    [key, 'RESPAN_API_KEY'],
  ] as const) {
    t.true(refused._tag === 'Left' && refused.left instanceof InvalidInput)
    if (refused._tag === 'Left') {
      t.true(refused.left.message.startsWith(`${variable}: `), refused.left.message)
      t.false(refused.left.message.includes(KEY))
    }
  }
})

// ── connection

const refusedOptions: ReadonlyArray<readonly [path: string, connection: object]> = [
  ['apiKey', { apiKey: `${KEY}\r\nx-evil: 1` }],
  ['apiKey', { apiKey: `${KEY} ${KEY}` }],
  ['apiKey', { apiKey: 'schlüssel' }],
  ['apiKey', { apiKey: 7 }],
  ['baseUrl', { baseUrl: 'api.respan.ai' }],
  ['baseUrl', { baseUrl: `https://user:${KEY}@respan.ai` }],
  ['timeout', { timeout: 0 }],
  ['timeout', { timeout: -1 }],
  ['timeout', { timeout: Number.NaN }],
  ['timeout', { timeout: 2 ** 31 }],
  ['timeout', { timeout: '5s' }],
  ['idleTimeout', { idleTimeout: 0 }],
  ['fetch', { fetch: 'fetch' }],
  ['signal', { signal: {} }],
  ['headers.x', { headers: { x: `${KEY}\r\nx-evil: 1` } }],
  ['headers.x', { headers: { x: `${KEY}\0` } }],
  ['headers.x', { headers: { x: '→' } }],
  ['headers.x', { headers: { x: undefined } }],
  ['headers', { headers: { 'x y': '' } }],
  ['headers', { headers: { 'x\r\ny': '' } }],
  ['headers', { headers: new Headers({ 'x-sent-as': 'nothing' }) }],
  ['headers', { headers: new Map([['x-sent-as', 'nothing, too']]) }],
  ['retry.count', { retry: { count: -1 } }],
  ['retry.count', { retry: { count: 1.5 } }],
  ['retry.count', { retry: { count: Number.POSITIVE_INFINITY } }],
  ['retry.delay', { retry: { delay: -1 } }],
  ['retry.maxDelay', { retry: { maxDelay: 2 ** 31 } }],
  ['retry.deadline', { retry: { deadline: 0 } }],
  ['retry.statuses[1]', { retry: { statuses: [429, 42] } }],
  ['retry.attempts', { retry: { attempts: 1 } }],
  ['baseURL', { baseURL: 'http://localhost:1' }],
]

for (const [path, connection] of refusedOptions) {
  test(`refuses ${inspect(connection)} at ${path}`, (t) => {
    // A JavaScript user's mistake: the types don't allow it.
    const error = t.throws(() => connectionPolicy('here', anything(connection)), {
      instanceOf: InvalidInput,
    })
    t.is(error.path, path)
    t.true(error.message.startsWith(`here: ${path}: expected `), error.message)
    t.false(error.message.includes(KEY))
  })
}

test('an option that nobody reads is told with what was meant and what was given', (t) => {
  const misspelt: object = { baseURL: 'http://localhost:1' }
  t.throws(() => connectionPolicy('here', misspelt), {
    message: 'here: baseURL: expected baseUrl instead, found string(18 characters).',
  })
})

test('fills in the defaults of a connection', (t) => {
  t.deepEqual(connectionPolicy('here', {}), {
    timeout: 600_000,
    idleTimeout: Number.POSITIVE_INFINITY,
    retry: {
      count: 2,
      delay: 500,
      maxDelay: 8_000,
      deadline: Number.POSITIVE_INFINITY,
      statuses: [408, 409, 429, 500, 502, 503, 504, 529],
    },
  })
  const retry = { count: 0, delay: 0, maxDelay: 0, deadline: 1, statuses: [] }
  t.deepEqual(connectionPolicy('here', { timeout: 1, idleTimeout: 2, retry }), {
    timeout: 1,
    idleTimeout: 2,
    retry,
  })
  t.is(connectionPolicy('here', { timeout: Number.POSITIVE_INFINITY }).timeout, Number.POSITIVE_INFINITY)
})

test("lets the user's headers win, whatever their case", (t) => {
  t.deepEqual(
    requestHeaders(
      'key',
      { accept: 'application/json' },
      { Authorization: 'Basic x', ACCEPT: 'text/plain', 'X-Team': 'a' },
    ),
    {
      'content-type': 'application/json',
      accept: 'text/plain',
      authorization: 'Basic x',
      'x-team': 'a',
    },
  )
})

// ── Retry-After

const WAITS: ReadonlyArray<
  readonly [what: string, headers: Record<string, string>, body: unknown, ms: number | undefined]
> = [
  ['nothing', {}, {}, undefined],
  ['seconds', { 'retry-after': '7' }, {}, 7_000],
  ['a fraction of a second', { 'retry-after': '0.25' }, {}, 250],
  ['zero', { 'retry-after': '0' }, {}, 0],
  ['ms', { 'retry-after-ms': '120' }, {}, 120],
  ['a fraction of a ms, rounded up', { 'retry-after-ms': '0.1' }, {}, 1],
  ['ms before seconds', { 'retry-after-ms': '120', 'retry-after': '7' }, {}, 120],
  ['seconds when the ms are unusable', { 'retry-after-ms': 'soon', 'retry-after': '7' }, {}, 7_000],
  ['the header before the body', { 'retry-after': '7' }, { retry_after: 60 }, 7_000],
  ['the body', {}, { retry_after: 60 }, 60_000],
  ['the body, as text', {}, { retry_after: '1.5' }, 1_500],
  ['the body when the header is unusable', { 'retry-after': 'later' }, { retry_after: 2 }, 2_000],
  ['an HTTP date', { 'retry-after': 'Sun, 01 Mar 2026 12:00:09 GMT' }, {}, 9_000],
  ['a date of the old RFC 850 form', { 'retry-after': 'Sunday, 01-Mar-26 12:00:09 GMT' }, {}, 9_000],
  ['a date of the form of asctime', { 'retry-after': 'Sun Mar  1 12:00:09 2026' }, {}, 9_000],
  ['a date in the past', { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, {}, 0],
  [
    "a date, measured against the server's clock",
    { 'retry-after': 'Sun, 01 Mar 2026 15:00:05 GMT', date: 'Sun, 01 Mar 2026 15:00:00 GMT' },
    {},
    5_000,
  ],
  ['a negative number', { 'retry-after': '-5' }, {}, undefined],
  ['a negative number in the body', {}, { retry_after: -5 }, undefined],
  ['an exponent', { 'retry-after': '1e9' }, {}, undefined],
  ['a word', { 'retry-after': 'Infinity' }, {}, undefined],
  ['a body that is no object', {}, 'retry_after: 60', undefined],
  ['more than any timer can wait', { 'retry-after': '99999999999999' }, {}, 2_147_483_647],
]

for (const [what, headers, body, ms] of WAITS) {
  test(`reads how long to wait from ${what}`, (t) => {
    t.is(retryAfter(new Headers(headers), body, NOW), ms)
  })
}

test('reads dates as GMT, wherever it runs', async (t) => {
  const source = `
    import { retryAfter } from '${new URL('../../dist/http/retryAfter.js', import.meta.url).href}'
    const wait = (date) => retryAfter(new Headers({ 'retry-after': date }), {}, ${NOW})
    console.log(wait('Sun, 01 Mar 2026 12:00:09 GMT'), wait('Sun Mar  1 12:00:09 2026'))
  `
  const { stdout } = await promisify(execFile)(process.execPath, [moduleFile(t, source)], {
    env: { ...process.env, TZ: 'America/New_York' },
  })
  t.is(stdout.trim(), '9000 9000')
})

const waiting = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true }).map(String),
  fc.nat().map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
)

testProp(
  'law: a wait is undefined or a whole number that a timer can wait',
  [waiting, waiting, fc.oneof(fc.anything(), fc.record({ retry_after: fc.oneof(waiting, fc.double()) }))],
  (t, ms, seconds, body) => {
    const ascii = (text: string) => text.replace(/[^ -~]/g, '')
    const wait = retryAfter(
      new Headers({ 'retry-after-ms': ascii(ms), 'retry-after': ascii(seconds) }),
      body,
      NOW,
    )
    t.true(wait === undefined || (Number.isInteger(wait) && wait >= 0 && wait <= 2_147_483_647))
  },
)

// ── backoff

test('doubles the bound of the wait with each failure, up to the maximum', (t) => {
  const almostOne = () => 1 - Number.EPSILON
  const waits = [1, 2, 3, 4, 5, 6, 2_000].map((n) => backoff({ delay: 500, maxDelay: 8_000 }, n, almostOne))
  t.deepEqual(waits, [499, 999, 1_999, 3_999, 7_999, 7_999, 7_999])
  t.is(backoff({ delay: 0, maxDelay: 8_000 }, 2_000, almostOne), 0)
})

testProp(
  'law: a backoff lies between 0 and its bound',
  [
    fc.nat(10_000),
    fc.nat(10_000),
    fc.integer({ min: 1, max: 100 }),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
  ],
  (t, delay, maxDelay, failures, random) => {
    const wait = backoff({ delay, maxDelay }, failures, () => random)
    t.true(Number.isInteger(wait) && wait >= 0 && wait <= Math.min(maxDelay, delay * 2 ** (failures - 1)))
  },
)

// ── secrets

test('takes keys and credentials out of a text, in every form', (t) => {
  const scrub = scrubber({
    authorization: `Bearer ${KEY}`,
    'x-api-token': 'pass"word/1',
    'x-team': 'team-name',
  })
  t.is(scrub(`key ${KEY}, Bearer ${KEY}`), 'key [redacted], [redacted]')
  t.is(scrub('{"a":"pass\\"word/1"} pass%22word%2F1 pass"word/1'), '{"a":"[redacted]"} [redacted] [redacted]')
  t.is(scrub('team-name stays'), 'team-name stays')
  t.is(scrubber({})(KEY), KEY)
})

test('takes out a key that is written in escapes, and leaves the JSON around it whole', (t) => {
  const scrub = scrubber({ authorization: `Bearer ${KEY}` })
  const escaped = Array.from(KEY, (character) => `\\u00${character.charCodeAt(0).toString(16)}`).join('')
  const text = scrub(`{"said":"\\u000a\\u0022${escaped}\\u005c"}`)
  t.deepEqual(JSON.parse(text), { said: '\n"[redacted]\\' })
})

test('leaves a text alone when a key is too short to be one', (t) => {
  t.is(scrubber({ authorization: 'Bearer e' })('every error'), 'every error')
  t.is(scrubber({ 'x-api-key': 'e' })('every error'), 'every error')
})

test('keeps a harmless cause as it is', (t) => {
  const scrub = scrubber({ authorization: `Bearer ${KEY}` })
  const cause = new TypeError('fetch failed', {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  })
  t.is(safeCause(cause, scrub), cause)
  t.is(safeCause('text', scrub), 'text')
  t.is(reasonOf('text'), 'text')
  t.is(reasonOf(cause), 'ECONNREFUSED')
})

test('reads errors of another realm, as those of Node are where Jest runs a test', (t) => {
  const scrub = scrubber({ authorization: `Bearer ${KEY}` })
  const made = `new TypeError('fetch failed', { cause: Object.assign(new Error(said), { code: 'UND_ERR_HEADERS_TIMEOUT', at: {} }) })`
  const harmless: unknown = runInNewContext(made, { said: 'late' })
  t.is(safeCause(harmless, scrub), harmless)
  t.is(reasonOf(harmless), 'UND_ERR_HEADERS_TIMEOUT, late')
  t.is(innermostCode(harmless), 'UND_ERR_HEADERS_TIMEOUT')
  const several: unknown = runInNewContext('new AggregateError([new Error("refused")])')
  t.is(reasonOf(several), 'refused')
  const copy = safeCause(runInNewContext(made, { said: `for ${KEY}` }), scrub)
  t.true(copy instanceof Error && copy.message === 'fetch failed')
  t.true(inspectAll(copy).includes('for [redacted]'))
  t.false(inspectAll(copy).includes(KEY))
})

test('has a reason for what is no error, and says nothing', (t) => {
  for (const thrown of [undefined, null, '', {}, 7]) t.is(reasonOf(thrown), 'unknown reason')
  t.is(reasonOf(new TypeError('')), 'TypeError')
})

test('copies a cause that holds a key, or what cannot be looked into', (t) => {
  const scrub = scrubber({ authorization: `Bearer ${KEY}` })
  const request = new Request('http://127.0.0.1', { headers: { authorization: `Bearer ${KEY}` } })
  const causes = [
    Object.assign(new Error('no answer'), {
      code: 'ECONNRESET',
      config: { headers: { authorization: `Bearer ${KEY}` } },
    }),
    Object.assign(new Error('no answer'), { code: 'ECONNRESET', request }),
    Object.assign(new Error(`no answer for ${KEY}`), { code: 'ECONNRESET' }),
    new Error('no answer', { cause: Object.assign(new Error(KEY), { code: 'ECONNRESET' }) }),
    // What a function encloses is seen by whoever calls it.
    Object.assign(new Error('no answer'), { code: 'ECONNRESET', config: () => KEY }),
    // What stands in a prototype is seen by whoever looks for it.
    Object.assign(new Error('no answer'), {
      code: 'ECONNRESET',
      detail: Object.create({ __proto__: null, authorization: KEY }),
    }),
  ]
  for (const cause of causes) {
    const copy = safeCause(cause, scrub)
    t.true(copy instanceof Error && copy !== cause && copy.message.startsWith('no answer'))
    t.false(inspectAll(copy).includes(KEY))
    t.true(inspectAll(copy).includes('ECONNRESET'))
    t.is(copy instanceof Error && 'cause' in copy, 'cause' in cause)
    t.is(reasonOf(copy), 'ECONNRESET')
  }
})

test('ends on a cause that contains itself', (t) => {
  const scrub = scrubber({ authorization: `Bearer ${KEY}` })
  const cause = new Error('round')
  cause.cause = cause
  t.is(safeCause(cause, scrub), cause)
  t.is(reasonOf(cause), 'round')
  cause.message = `round ${KEY}`
  const copy = inspectAll(safeCause(cause, scrub))
  t.true(copy.includes('round [redacted]'))
  t.false(copy.includes(KEY))
})

// ── ids

test('keeps only the start of an id that is far too long to be one', (t) => {
  const long = 'x'.repeat(1_000)
  const headers = new Headers({ 'x-request-id': long, 'x-respan-log-id': long })
  const kept = 'x'.repeat(256)
  t.deepEqual(
    answerIds(headers, (text) => text),
    { requestId: kept, logId: kept },
  )
})

// ── errors from answers

const NOWHERE = '(nothing answers at this path: check RESPAN_BASE_URL or baseUrl, or the id of the prompt)'

const ERRORS: ReadonlyArray<
  readonly [status: number, body: unknown, message: string, code: string | undefined]
> = [
  [400, { detail: 'Invalid request format' }, 'HTTP 400: Invalid request format', undefined],
  [
    401,
    { detail: 'Your API key is invalid' },
    'HTTP 401: Your API key is invalid (check the Respan API key: RESPAN_API_KEY or apiKey)',
    undefined,
  ],
  [
    401,
    { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } },
    'HTTP 401: Incorrect API key provided (the provider refused the key that is stored for it at Respan)',
    'invalid_api_key',
  ],
  [401, 'No entry', 'HTTP 401: No entry', undefined],
  [401, { message: 'Who are you?' }, 'HTTP 401: Who are you?', undefined],
  [401, null, 'HTTP 401: From the status line', undefined],
  [404, { error: 'Trace not found' }, 'HTTP 404: Trace not found', undefined],
  [404, { detail: 'No such prompt.' }, 'HTTP 404: No such prompt.', undefined],
  [404, { detail: 'Not found.' }, `HTTP 404: Not found. ${NOWHERE}`, undefined],
  [404, '<html><title>Not Found</title></html>', `HTTP 404: Not Found ${NOWHERE}`, undefined],
  [
    500,
    { detail: 'Internal server error', error_code: 'INTERNAL_ERROR' },
    'HTTP 500: Internal server error',
    'INTERNAL_ERROR',
  ],
  [502, '<html><head><title>502 Bad Gateway</title></head></html>', 'HTTP 502: 502 Bad Gateway', undefined],
  [503, '', 'HTTP 503: From the status line', undefined],
  [503, { error: true }, 'HTTP 503: From the status line', undefined],
  [
    307,
    '',
    'HTTP 307: From the status line (redirects are not followed: set baseUrl to the final address)',
    undefined,
  ],
]

for (const [status, body, message, code] of ERRORS) {
  test(`makes an HttpError of ${status} ${JSON.stringify(body)}`, (t) => {
    const error = errorFromResponse(answer(status, body), 'respan', NOW)
    t.is(error._tag, 'HttpError')
    t.is(error.message, message)
    t.is(error.status, status)
    t.is(error.code, code)
    t.is(error.requestId, 'req-1')
    t.is(error.logId, 'log-1')
    t.deepEqual(error.body, body)
  })
}

test('makes a RateLimited of 429, with the wait in ms', (t) => {
  const error = errorFromResponse(
    answer(429, { detail: 'Rate limit exceeded', retry_after: 60 }),
    'respan',
    NOW,
  )
  t.like(error, {
    _tag: 'RateLimited',
    message: 'HTTP 429: Rate limit exceeded',
    retryAfter: 60_000,
    status: 429,
  })
  const none = errorFromResponse(answer(429, ''), 'respan', NOW)
  t.true(none._tag === 'RateLimited' && none.retryAfter === undefined)
})

test('speaks of the OpenAI key when OpenAI refuses it', (t) => {
  const error = errorFromResponse(answer(401, { error: { message: 'Wrong' } }), 'openai', NOW)
  t.is(error.message, 'HTTP 401: Wrong (check the OpenAI API key: OPENAI_API_KEY or apiKey)')
})

test('keeps only the start of a body that is not JSON, and no credentials of one that is', (t) => {
  t.is(errorFromResponse(answer(500, 'x'.repeat(100_000)), 'respan', NOW).body, 'x'.repeat(1_000))
  const echo = { detail: 'no', request: { customer_credentials: { openai: { api_key: KEY } } } }
  t.false(JSON.stringify(errorFromResponse(answer(400, echo), 'respan', NOW).body).includes(KEY))
})

/** Everything that a logger could reach. */
function inspectAll(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? ''
  const own = Reflect.ownKeys(value).map((key) => `${String(key)}: ${inspectAll(Reflect.get(value, key))}`)
  return [value.name, value.message, ...own].join('\n')
}

test('one set of secrets has one scrub, however many gateways send it', (t) => {
  const bearer = (key: string) => scrubber({ authorization: `Bearer ${key}` })
  const scrub = bearer(KEY)
  for (let other = 0; other < 99; other++) bearer(`another-key-${other}`)
  t.is(bearer(KEY), scrub)
  for (let other = 0; other < 100; other++) bearer(`another-key-${other}`)
  const anew = bearer(KEY)
  t.not(anew, scrub)
  for (const each of [scrub, anew]) t.is(each(`a ${KEY} b`), 'a [redacted] b')
})

import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { type Local, type LocalOptions, startLocal } from '../../dist/local/index.js'
import { traceStore } from '../../dist/local/traceStore.js'
import { parseTime, traceView } from '../../dist/local/traceView.js'

const start = async (t: ExecutionContext, options: LocalOptions = {}): Promise<Local> => {
  const local = await startLocal(options)
  t.teardown(local.close)
  return local
}

const fixture = (name: string): string =>
  readFileSync(new URL(`../../test/fixtures/respan/${name}`, import.meta.url), 'utf8')

const ingest = async (local: Local, body: unknown): Promise<readonly [number, unknown]> => {
  const response = await fetch(`${local.baseUrl}/v1/traces/ingest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return [response.status, JSON.parse(await response.text())]
}

const read = async (local: Local, id: string): Promise<readonly [number, Record<string, unknown>]> => {
  const response = await fetch(`${local.baseUrl}/traces/${encodeURIComponent(id)}/`)
  return [response.status, JSON.parse(await response.text())]
}

const page = async (url: string): Promise<string> => (await fetch(url)).text()

const span = (id: string, more: object = {}) => ({
  trace_unique_id: 't1',
  span_unique_id: id,
  span_parent_id: null as string | null,
  span_name: id,
  log_type: 'task' as const,
  start_time: '2026-03-07T08:00:00.000Z',
  timestamp: '2026-03-07T08:00:01.000Z',
  latency: 1,
  ...more,
})

const HOSTILE = '</pre><script>alert(1)</script><img src=x onerror="alert(2)">\' onload=\'x'

test('stores the documented samples, as an array or under data', async (t) => {
  const local = await start(t)
  for (const name of [
    'ingest.request.json',
    'ingest.request.wrapped.json',
    'ingest.request.errors.json',
    'ingest.request.log-types.json',
  ]) {
    const [status, body] = await ingest(local, fixture(name))
    t.is(status, 200, name)
    t.like(body, { status: 'ok', errors: [] })
  }
  t.true(local.spans().length > 5)
})

test('tells what it stored, and takes a span again without doubling it', async (t) => {
  const local = await start(t)
  const first = await ingest(local, [span('a'), span('b', { trace_unique_id: 't2' })])
  t.deepEqual(first, [
    200,
    { status: 'ok', ingested_spans: 2, created_traces: 2, trace_ids: ['t1', 't2'], errors: [] },
  ])
  const again = await ingest(local, { data: [span('a', { span_name: 'renamed' })] })
  t.like(again[1], { ingested_spans: 1, created_traces: 0, trace_ids: ['t1'] })
  t.deepEqual(
    local.spans().map((one) => one.span_name),
    ['renamed', 'b'],
  )
})

test('an invalid span refuses them all, and its index says which', async (t) => {
  const local = await start(t)
  const [status, body] = await ingest(local, [
    span('a'),
    span('b', { latency: -1 }),
    span('c'),
    { trace_unique_id: 't1' },
    span('', {}),
    'text',
  ])
  t.is(status, 400)
  t.deepEqual(body, {
    detail: '4 of 6 spans are invalid; none was stored',
    errors: {
      1: ['latency: expected number from 0, found number -1'],
      3: ['span_unique_id: expected string, found undefined'],
      4: ['span_unique_id: expected text, found an empty string'],
      5: ['expected SpanPayload, found string(4 characters)'],
    },
  })
  t.deepEqual(local.spans(), [])
  t.is((await ingest(local, '{"data": 1}'))[0], 400)
  t.is((await ingest(local, 'no json'))[0], 400)
})

test('takes what the platform documents inconsistently: null, objects as content, other types', async (t) => {
  const local = await start(t)
  const [status] = await ingest(local, [
    span('a', { model: null, input: { a: 1 }, output: [1, 2], log_type: 'CHAT' }),
    span('b', { log_type: 'score' }),
  ])
  t.is(status, 200)
  t.like(local.spans()[0], { input: '{"a":1}', output: '[1,2]', log_type: 'chat' })
  t.false('model' in (local.spans()[0] ?? {}))
})

test('reads a trace back as a tree with totals', async (t) => {
  const local = await start(t)
  await ingest(local, [
    span('child', {
      span_parent_id: 'root',
      log_type: 'chat',
      model: 'gpt-4o-mini',
      prompt_tokens: 100,
      completion_tokens: 10,
      start_time: '2026-03-07T08:00:00.250500Z',
      latency: 0.5,
      input: '[{"role":"user","content":"Hi"}]',
    }),
    span('failed', { span_parent_id: 'root', status_code: 429, error_message: 'RateLimited', latency: 0.1 }),
    span('root', {
      trace_name: 'My Workflow',
      log_type: 'workflow',
      metadata: { a: 'b' },
      customer_identifier: 'c',
    }),
  ])
  const [status, trace] = await read(local, 't1')
  t.is(status, 200)
  t.like(trace, {
    trace_unique_id: 't1',
    start_time: '2026-03-07T08:00:00.000Z',
    end_time: '2026-03-07T08:00:01.000Z',
    duration: 1,
    span_count: 3,
    llm_call_count: 1,
    total_prompt_tokens: 100,
    total_completion_tokens: 10,
    total_tokens: 110,
    error_count: 1,
    metadata: { a: 'b' },
    customer_identifier: 'c',
  })
  t.true(Math.abs(Number(trace.total_cost) - 0.000021) < 1e-9)
  t.like(trace.span_tree, [
    {
      span_unique_id: 'root',
      log_type: 'WORKFLOW',
      children: [
        { span_unique_id: 'failed', status: 'error', status_code: 429, children: [] },
        {
          span_unique_id: 'child',
          input: [{ role: 'user', content: 'Hi' }],
          status: 'success',
          children: [],
        },
      ],
    },
  ])
  t.deepEqual(await read(local, 'nope'), [404, { error: 'Trace not found' }])
  const list = await fetch(`${local.baseUrl}/traces/list/`, { method: 'POST' })
  t.like(JSON.parse(await list.text()), { count: 1, results: [{ id: 't1', name: 'My Workflow' }] })
})

test('orphans, circles and endless chains of parents are all shown', async (t) => {
  const chain = Array.from({ length: 1_000 }, (_, n) =>
    span(`n${n}`, n === 0 ? {} : { span_parent_id: `n${n - 1}` }),
  )
  t.is(traceView('t1', chain).rows.length, 1_000)
  const odd = [
    span('a', { span_parent_id: 'b' }),
    span('b', { span_parent_id: 'a' }),
    span('self', { span_parent_id: 'self' }),
    span('orphan', { span_parent_id: 'gone' }),
  ]
  const view = traceView('t1', odd)
  t.deepEqual(view.rows.map(({ name }) => name).toSorted(), ['a', 'b', 'orphan', 'self'])
  t.is(view.status, 'incomplete')
  const local = await start(t)
  await ingest(local, chain)
  t.is((await read(local, 't1'))[0], 200)
  t.is((await fetch(local.traceUrl('t1'))).status, 200)
})

test('times keep their microseconds', (t) => {
  const at = parseTime('2026-03-07T08:00:00.250500Z')
  t.is(at === undefined ? undefined : at - Date.UTC(2026, 2, 7, 8), 250.5)
  t.is(parseTime('yesterday'), undefined)
})

test('keeps no more text than its limit', (t) => {
  const store = traceStore({ maxTraces: 10, maxSpans: 100, maxLength: 3_000 })
  for (const id of ['x', 'y', 'z', 'z'])
    store.add([span('a', { trace_unique_id: id, input: 'i'.repeat(1_000) })])
  t.deepEqual(store.ids(), ['z', 'y'])
  store.add([span('a', { trace_unique_id: 'huge', input: 'i'.repeat(10_000) })])
  t.deepEqual(store.ids(), ['huge'])
})

test('keeps the newest traces only', async (t) => {
  const local = await start(t, { maxTraces: 2, maxSpans: 3 })
  for (const id of ['x', 'y', 'z']) await ingest(local, [span('a', { trace_unique_id: id })])
  t.deepEqual(
    local.spans().map((one) => one.trace_unique_id),
    ['y', 'z'],
  )
  await ingest(
    local,
    ['a', 'b', 'c', 'd'].map((id) => span(id, { trace_unique_id: 'big' })),
  )
  t.deepEqual(new Set(local.spans().map((one) => one.trace_unique_id)), new Set(['big']))
})

test('the page of a trace escapes everything, and allows no script, inline style or foreign resource', async (t) => {
  const local = await start(t)
  const messages = [
    {
      role: HOSTILE,
      content: [{ type: HOSTILE }, { type: 'text', text: HOSTILE }],
      tool_calls: [{ id: HOSTILE, function: { name: HOSTILE, arguments: HOSTILE } }],
    },
  ]
  const id = `id"><script>${HOSTILE}`
  const given = span(HOSTILE, {
    trace_unique_id: id,
    span_name: HOSTILE,
    trace_name: HOSTILE,
    model: HOSTILE,
    input: JSON.stringify(messages),
    output: JSON.stringify({ [HOSTILE]: HOSTILE, replies: [HOSTILE] }),
    error_message: HOSTILE,
    warnings: HOSTILE,
    metadata: { [HOSTILE]: HOSTILE, error_stack: HOSTILE },
    properties: { [HOSTILE]: HOSTILE },
    customer_identifier: HOSTILE,
    thread_identifier: HOSTILE,
    prompt_id: HOSTILE,
    provider_id: HOSTILE,
  })
  t.is((await ingest(local, [given, span('plain', { trace_unique_id: id, input: HOSTILE })]))[0], 200)
  for (const url of [local.traceUrl(id), new URL('/traces', local.baseUrl).href]) {
    const response = await fetch(url)
    const html = await response.text()
    t.is(response.status, 200)
    t.true(html.includes('&lt;script&gt;alert(1)'))
    const tags = new Set((html.match(/<[a-z0-9!]+/giu) ?? []).map((tag) => tag.slice(1).toLowerCase()))
    for (const tag of ['script', 'img', 'iframe', 'object', 'form']) t.false(tags.has(tag), tag)
    // What is in quotes is a value; quotes in values and texts are escaped.
    t.false(/<[^>]*\s(?:on\w+|style)\s*=/iu.test(html.replaceAll(/"[^"]*"/gu, '""')))
    const policy = response.headers.get('content-security-policy') ?? ''
    t.regex(policy, /default-src 'none'/u)
    t.notRegex(policy, /unsafe/u)
  }
})

test('the page of a trace shows the tree, its times, contents and failures', async (t) => {
  const local = await start(t)
  await ingest(local, [
    span('root', {
      trace_name: 'My Workflow',
      log_type: 'workflow',
      input: '{"topic":"tea"}',
      output: '{"replies":["Tea is a drink."]}',
    }),
    span('llm', {
      span_parent_id: 'root',
      log_type: 'chat',
      model: 'gpt-4o-mini-2024-07-18',
      prompt_tokens: 1200,
      completion_tokens: 34,
      time_to_first_token: 0.25,
      input: '[{"role":"system","content":"Be brief."},{"role":"user","content":"Tell me about tea."}]',
      output: '{"role":"assistant","content":"Tea is a drink."}',
      metadata: { cancelled: 'true' },
    }),
    span('cut', {
      span_parent_id: 'root',
      log_type: 'chat',
      model: 'gpt-4o',
      status_code: 502,
      error_message: 'StreamInterrupted: cut',
      metadata: { error_tag: 'StreamInterrupted' },
    }),
    span('tool', {
      span_parent_id: 'root',
      log_type: 'tool',
      status_code: 500,
      error_message: 'TypeError: boom',
      properties: { respan_error: { tag: 'TypeError', stack: 'TypeError: boom\n    at tool.js:1:1' } },
    }),
  ])
  const html = await page(local.traceUrl('t1'))
  t.regex(html, /<h1><bdi>My Workflow<\/bdi><span class="pill ok">OK/u)
  t.regex(html, /2 failed/u)
  t.regex(html, />gpt-4o · truncated</u)
  t.regex(html, /1,200 in, 34 out/u)
  t.regex(html, /first token after 250 ms/u)
  t.regex(html, /<line class="mark" x1="25%"/u)
  t.regex(html, /class="msg r-system"><h3>system<\/h3><div class="text" dir="auto">Be brief\./u)
  t.regex(html, /gpt-4o-mini-2024-07-18 · cancelled/u)
  t.regex(html, /<details class="span t-tool bad" open>/u)
  t.regex(html, /TypeError: boom\n {4}at tool\.js:1:1/u)
  t.notRegex(html, /http-equiv="refresh"/u)
})

test('a latency that can not be is shown as one', async (t) => {
  const local = await start(t)
  for (const [index, latency] of [1e300, Number.MAX_VALUE, 3_599.6, 100_000, 1_000_000].entries())
    await ingest(local, [span('a', { trace_unique_id: `t${index}`, timestamp: undefined, latency })])
  const shown = await Promise.all(
    [0, 1, 2, 3, 4].map(async (index) => {
      const html = await page(local.traceUrl(`t${index}`))
      t.notRegex(html, /NaN|Infinity|e\+\d+ [ms]/u)
      return /<dt>takes<\/dt><dd><bdi>(.*?)<\/bdi>/u.exec(html)?.[1]
    }),
  )
  t.deepEqual(shown, ['over 1,000 years', 'over 1,000 years', '1 h 00 m', '1 d 04 h', '11 d 14 h'])
  t.regex(await page(new URL('/traces', local.baseUrl).href), /over 1,000 years/u)
})

test('the pages mark tokens that were estimated', async (t) => {
  const local = await start(t)
  const estimated = { prompt_tokens: 12, completion_tokens: 34, metadata: { usage_source: 'estimated' } }
  await ingest(local, [span('root'), span('llm', { span_parent_id: 'root', log_type: 'chat', ...estimated })])
  const html = await page(local.traceUrl('t1'))
  t.regex(html, /<bdi>~46<\/bdi> <small>~12 in, ~34 out/u)
  t.regex(html, />~12<span class="arrow">→<\/span>~34</u)
  t.regex(html, /<dd><bdi>~12 in, ~34 out/u)
  t.regex(await page(new URL('/traces', local.baseUrl).href), />~46</u)
})

test('the page shows each field of a span once', async (t) => {
  const local = await start(t)
  await ingest(local, [span('a', { metadata: { mine: 1 }, properties: { own: 2 }, span_path: 'x' })])
  const html = await page(local.traceUrl('t1'))
  const [, others = ''] = html.split('All other fields as sent')
  t.regex(others, /span_path/u)
  t.notRegex(others, /metadata|properties|mine|own/u)
})

test('pages load themselves anew while something is still to come', async (t) => {
  const local = await start(t)
  const missing = await fetch(local.traceUrl('later'))
  t.is(missing.status, 404)
  t.regex(await missing.text(), /http-equiv="refresh"/u)
  t.regex(
    await page(new URL('/traces', local.baseUrl).href),
    /No trace has arrived yet.*refresh|refresh.*No trace has arrived yet/su,
  )
  await ingest(local, [span('child', { span_parent_id: 'root' })])
  const half = await page(local.traceUrl('t1'))
  t.regex(half, /Incomplete/u)
  t.regex(half, /http-equiv="refresh"/u)
  t.is((await fetch(new URL('/', local.baseUrl), { redirect: 'manual' })).headers.get('location'), '/traces')
})

/** The colours of a style sheet by name, in a light scheme and in a dark one. */
const coloursOf = (css: string): ReadonlyArray<ReadonlyMap<string, string>> =>
  css
    .split('@media (prefers-color-scheme: dark)')
    .map(
      (part) =>
        new Map(
          Array.from(part.matchAll(/--([\w-]+): (#[0-9a-f]{6})/gu), ([, name = '', hex = '']) => [name, hex]),
        ),
    )

const luminance = (hex: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** As WCAG defines it: 1 to 21. */
const contrast = (one: string, other: string): number => {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

test('text has the contrast that WCAG asks for, by day and by night', async (t) => {
  const local = await start(t)
  const schemes = coloursOf(await page(new URL('/traces', local.baseUrl).href))
  t.is(schemes.length, 2)
  for (const [index, colours] of schemes.entries()) {
    const colour = (name: string): string => colours.get(name) ?? t.fail(`no colour ${name}`) ?? ''
    const pairs = [
      ...['ink', 'soft', 'faint'].flatMap((text) =>
        ['bg', 'card', 'hover', 'code'].map((back) => [text, back]),
      ),
      ...['key', 'string', 'literal', 'error', 'task', 'chat', 'tool', 'agent'].map((text) => [text, 'card']),
      ...['ok', 'error', 'cancelled'].map((text) => [text, `${text}-bg`]),
    ]
    for (const [text = '', back = ''] of pairs)
      t.true(contrast(colour(text), colour(back)) >= 4.5, `${text} on ${back}, scheme ${index}`)
  }
})

test('the list has no link without a text, and can be told not to load itself anew', async (t) => {
  const local = await start(t)
  await ingest(local, [span('root')])
  const list = await page(new URL('/traces', local.baseUrl).href)
  t.notRegex(list, /<a [^>]*><\/a>/u)
  t.regex(list, /http-equiv="refresh"/u)
  const [, href = ''] = /<a href="([^"]*)">Stop<\/a>/u.exec(list) ?? []
  const still = await page(new URL(href, local.baseUrl).href)
  t.regex(still, /<bdi>root<\/bdi>/u)
  t.notRegex(still, /http-equiv="refresh"/u)
  t.regex(still, /<a href="\/traces">Go on<\/a>/u)
})

test('the page of a trace under way can be told not to load itself anew', async (t) => {
  const local = await start(t)
  await ingest(local, [span('child', { span_parent_id: 'root' })])
  const [, href = ''] = /<a href="([^"]*)">Stop<\/a>/u.exec(await page(local.traceUrl('t1'))) ?? []
  const still = await page(new URL(href, local.baseUrl).href)
  t.regex(still, /Incomplete/u)
  t.notRegex(still, /http-equiv="refresh"/u)
  t.regex(still, /<a href="\/traces\/t1">Go on<\/a>/u)
  await ingest(local, [span('root')])
  t.notRegex(await page(new URL(href, local.baseUrl).href), /Go on/u)
})

test('ids in a URL are checked, and long texts are cut', async (t) => {
  const local = await start(t)
  const root = new URL('/traces/', local.baseUrl).href
  for (const id of ['%00', '%E0%A4%A', 'x'.repeat(600), '..%2f..%2fetc'])
    t.is((await fetch(root + id)).status, 404, id)
  await ingest(local, [
    span('a', {
      input: 'x'.repeat(500_000),
      output: JSON.stringify(JSON.parse('['.repeat(150) + ']'.repeat(150))),
    }),
  ])
  const html = await page(local.traceUrl('t1'))
  t.regex(html, /… 440,000 more characters/u)
  t.true(html.length < 200_000)
})

test('the page of a large trace shows what there is room for, and where the rest is', async (t) => {
  const local = await start(t)
  const rows = Array.from({ length: 300 }, (_, id) => ({ id, name: `item ${id}`, ok: true }))
  const large = { input: JSON.stringify(rows), output: JSON.stringify(rows) }
  const spans = Array.from({ length: 100 }, (_, n) =>
    span(`s${n}`, { ...large, span_parent_id: n === 0 ? null : 's0' }),
  )
  t.is((await ingest(local, spans))[0], 200)
  const html = await page(local.traceUrl('t1'))
  t.is(html.match(/<details class="span /gu)?.length, 100)
  t.regex(html, /item 299/u)
  t.regex(html, /content in the API: \/api\/traces\/t1</u)
  t.is((await fetch(new URL('/api/traces/t1', local.baseUrl))).status, 200)
  t.true(html.length < 5_000_000, String(html.length))
})

test('one large input leaves room for the others, however it is made', async (t) => {
  const local = await start(t)
  const messages = Array.from({ length: 50_000 }, () => ({ role: 'user', content: '' }))
  const nested = `${'['.repeat(190)}${Array.from({ length: 20_000 }, () => '{}').join()}${']'.repeat(190)}`
  await ingest(local, [
    span('a', { span_name: 'n'.repeat(100_000), input: JSON.stringify(messages), output: nested }),
    span('b', {
      metadata: { key: 'v'.repeat(100_000) },
      error_message: 'e'.repeat(100_000),
      status: 'error',
    }),
    span('c', { input: 'the last input' }),
  ])
  const html = await page(local.traceUrl('t1'))
  t.regex(html, /… 4\d,\d{3} more</u)
  t.regex(html, /… and more</u)
  t.regex(html, /the last input/u)
  t.true(html.length < 1_000_000, String(html.length))
})

test('short JSON is coloured, long JSON is not', async (t) => {
  const local = await start(t)
  await ingest(local, [
    span('a', { input: '{"short":1}', output: JSON.stringify({ list: Array(3_000).fill({}) }) }),
  ])
  const html = await page(local.traceUrl('t1'))
  t.regex(html, /<span class="k">&quot;short&quot;<\/span>: <span class="l">1<\/span>/u)
  t.regex(html, /<pre>\{\n {2}&quot;list&quot;: \[/u)
})

test('documents nested deeper than any honest one are refused, or shown as text', async (t) => {
  const local = await start(t)
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  t.is(
    (await ingest(local, `[{"trace_unique_id":"a","span_unique_id":"b","metadata":{"x":${deep}}}]`))[0],
    400,
  )
  t.is((await ingest(local, [span('a', { input: deep })]))[0], 200)
  t.is((await read(local, 't1'))[0], 200)
  t.is((await fetch(local.traceUrl('t1'))).status, 200)
})

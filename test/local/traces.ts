import test, { type ExecutionContext } from 'ava'
import type { Local } from '../../dist/local/index.js'
import { traceStore } from '../../dist/local/traceStore.js'
import { parseTime, traceView } from '../../dist/local/traceView.js'
import { fixture } from '../helpers/fixture.js'
import { start } from '../helpers/local.js'

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
  const both = ['c', 'd'].map((id) => span(id, { trace_unique_id: 't2' }))
  t.deepEqual(await ingest(local, both), [
    200,
    { status: 'ok', ingested_spans: 2, created_traces: 0, trace_ids: ['t2'], errors: [] },
  ])
  t.deepEqual(
    local.spans().map((one) => one.span_name),
    ['renamed', 'b', 'c', 'd'],
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
    span('d', { trace_unique_id: ' ' }),
    span('e', { trace_unique_id: 'cut \ud83d' }),
  ])
  t.is(status, 400)
  t.deepEqual(body, {
    detail: '6 of 8 spans are invalid; none was stored',
    errors: {
      1: ['latency: expected number of at least 0, found number -1'],
      3: ['span_unique_id: expected string, found undefined'],
      4: ['span_unique_id: expected text, found an empty string'],
      5: ['expected SpanPayload, found string(4 characters)'],
      6: ['trace_unique_id: expected text, found an empty string'],
      7: ['trace_unique_id: expected text, found half a surrogate pair'],
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
    span('c', { log_type: 'batch' }),
    span('d', { log_type: 'Span' }),
  ])
  t.is(status, 200)
  t.deepEqual(
    local.spans().map(({ log_type }) => log_type),
    ['chat', 'custom', 'custom', 'custom'],
  )
  t.is(local.spans()[0]?.span_parent_id, null)
  t.like(local.spans()[0], { input: '{"a":1}', output: '[1,2]', log_type: 'chat' })
  t.false('model' in (local.spans()[0] ?? {}))
})

test('a text that only looks like a number is shown as it is', async (t) => {
  const local = await start(t)
  await ingest(local, [span('a', { input: '1.10', output: '12345678901234567890' })])
  t.like(await (await fetch(`${local.baseUrl}/traces/t1`)).json(), {
    span_tree: [{ input: '1.10', output: '12345678901234567890' }],
  })
  t.regex(await (await fetch(local.traceUrl('t1'))).text(), /1\.10.*12345678901234567890/su)
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

test('a trace is read by GET and by POST, the list of them newest first and in pages', async (t) => {
  const local = await start(t)
  const ids = Array.from({ length: 101 }, (_, n) => `t${n}`)
  await ingest(
    local,
    ids.map((id) => span('a', { trace_unique_id: id })),
  )
  const list = await fetch(`${local.baseUrl}/traces/?page_size=1000`)
  const { count, next, results } = JSON.parse(await list.text())
  t.is(count, 101)
  t.truthy(next)
  t.deepEqual(
    results.map(({ id }: { readonly id: string }) => id),
    ids.slice(1).toReversed(),
  )
  const posted = await fetch(`${local.baseUrl}/traces/t7/`, { method: 'POST' })
  t.deepEqual(JSON.parse(await posted.text()), (await read(local, 't7'))[1])
})

test('what a span does not say is worked out, or told as nothing', async (t) => {
  const local = await start(t)
  await ingest(local, [
    { trace_unique_id: 't1', span_unique_id: 'bare', input: 'true', output: '12' },
    span('child', {
      span_parent_id: 'bare',
      model: 'gpt-4o-mini',
      usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
      output: '{"a":1}',
      input: undefined,
    }),
    span('paid', { span_parent_id: 'bare', model: 'gpt-4o-mini', prompt_tokens: 1_000, cost: 2 }),
  ])
  const [, trace] = await read(local, 't1')
  t.like(trace, {
    start_time: '2026-03-07T08:00:00.000Z',
    name: 'bare',
    metadata: {},
    customer_identifier: null,
    total_prompt_tokens: 2_000,
    total_completion_tokens: 100,
    llm_call_count: 0,
    span_tree: [
      {
        span_parent_id: null,
        log_type: 'CHAT',
        input: true,
        output: 12,
        status: 'success',
        status_code: 200,
        children: [
          { span_parent_id: 'bare', input: null, output: { a: 1 }, cost: 0.000_21 },
          { span_unique_id: 'paid', cost: 2 },
        ],
      },
    ],
  })
  t.true(Math.abs(Number(trace.total_cost) - 2.00021) < 1e-9)
  await ingest(local, [{ trace_unique_id: 't2', span_unique_id: 'call', model: 'my-own', input: 'x' }])
  t.like((await read(local, 't2'))[1], {
    start_time: null,
    end_time: null,
    llm_call_count: 1,
    total_cost: 0,
  })
})

const failed: ReadonlyArray<object> = [
  { status: 'error' },
  { error_bit: 1 },
  { error_message: 'No' },
  { status_code: 400 },
]

for (const more of failed) {
  test(`a span with ${JSON.stringify(more)} has failed`, async (t) => {
    const local = await start(t)
    await ingest(local, [span('a', more), span('b', { status_code: 399, error_bit: 0, status: 'success' })])
    t.like((await read(local, 't1'))[1], {
      error_count: 1,
      span_tree: [{ status: 'error' }, { status: 'success' }],
    })
  })
}

const times: ReadonlyArray<readonly [title: string, more: object, start: string | null, end: string | null]> =
  [
    ['from its end and its latency', { start_time: undefined, latency: 0.25 }, '00.750', '01.000'],
    ['from its start and its latency', { timestamp: undefined, latency: 0.25 }, '00.000', '00.250'],
    ['from its latency where its times disagree', { latency: 3 }, '00.000', '03.000'],
    ['from its two times', { latency: undefined }, '00.000', '01.000'],
    [
      'from its start where its end is before',
      { latency: undefined, start_time: '2026-03-07T08:00:02Z' },
      '02.000',
      '02.000',
    ],
    ['as unknown where no date can hold it', { latency: 1e14 }, '00.000', null],
  ]

for (const [title, more, begun, over] of times) {
  test(`the times of a span are told ${title}`, async (t) => {
    const local = await start(t)
    await ingest(local, [span('a', more)])
    const at = (seconds: string | null): string | null => seconds && `2026-03-07T08:00:${seconds}Z`
    t.like((await read(local, 't1'))[1], { start_time: at(begun), end_time: at(over) })
  })
}

test('siblings are in the order of their start, the longer first', async (t) => {
  const local = await start(t)
  await ingest(local, [
    span('root'),
    span('late', { span_parent_id: 'root', start_time: '2026-03-07T08:00:00.500Z', latency: 0.1 }),
    span('short', { span_parent_id: 'root', latency: 0.1 }),
    span('long', { span_parent_id: 'root', latency: 0.9 }),
  ])
  t.like((await read(local, 't1'))[1], {
    span_tree: [{ children: [{ id: 'long' }, { id: 'short' }, { id: 'late' }] }],
  })
})

test('a trace is named by its root, and belongs to whom the root says, or else any of its spans', async (t) => {
  const local = await start(t)
  const child = span('child', { span_parent_id: 'root', customer_identifier: 'child', trace_name: 'no' })
  await ingest(local, [child, span('root', { span_workflow_name: ' Flow ', customer_identifier: 'root' })])
  t.like((await read(local, 't1'))[1], { name: 'Flow', customer_identifier: 'root' })
  const orphan = { span_parent_id: 'gone', start_time: '2026-03-07T07:00:00Z', customer_identifier: 'orphan' }
  await ingest(local, [span('orphan', orphan)])
  t.like((await read(local, 't1'))[1], { name: 'Flow', customer_identifier: 'root' })
  await ingest(local, [span('root', { trace_name: 'Named', span_workflow_name: 'Flow' })])
  t.like((await read(local, 't1'))[1], { name: 'Named', customer_identifier: 'orphan' })
})

test('a chain of parents is told level by level down to 201, and what is deeper side by side', async (t) => {
  const chain = Array.from({ length: 210 }, (_, n) =>
    span(`n${n}`, n === 0 ? {} : { span_parent_id: `n${n - 1}` }),
  )
  const depths = traceView('t1', chain).rows.map(({ depth }) => depth)
  t.deepEqual(depths, [...Array(201).keys(), ...Array(9).fill(201)])
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

test('a span that comes again, and a trace that made room, count no longer', async (t) => {
  const local = await start(t, { maxSpans: 4 })
  const ids = (): ReadonlyArray<string> => local.spans().map((one) => one.trace_unique_id)
  for (const id of ['x', 'y', 'y', 'y', 'y', 'z']) await ingest(local, [span('a', { trace_unique_id: id })])
  t.deepEqual(ids(), ['x', 'y', 'z'])
  await ingest(local, [span('b', { trace_unique_id: 'z' }), span('c', { trace_unique_id: 'z' })])
  t.deepEqual(ids(), ['y', 'z', 'z', 'z'])
  await ingest(local, [span('a', { trace_unique_id: 'w' })])
  t.deepEqual(ids(), ['z', 'z', 'z', 'w'])
})

test('keeps 500 traces and 50,000 spans unless told otherwise', async (t) => {
  const local = await start(t)
  const one = (id: string, n: number) => ({ trace_unique_id: id, span_unique_id: `s${n}` })
  await ingest(
    local,
    Array.from({ length: 501 }, (_, n) => one(`t${n}`, 0)),
  )
  t.is(local.spans().length, 500)
  t.is(local.spans()[0]?.trace_unique_id, 't1')
  await ingest(
    local,
    Array.from({ length: 49_999 }, (_, n) => one('large', n)),
  )
  t.is(local.spans().length, 50_000)
  t.is(local.spans()[0]?.trace_unique_id, 't500')
})

test('what is neither text nor has one breaks no page, and no list', async (t) => {
  const local = await start(t)
  const odd = JSON.parse('{"toString":1,"valueOf":1}')
  const output = JSON.stringify({
    role: 'assistant',
    tool_calls: [{ id: odd, function: { name: odd, arguments: odd } }],
  })
  await ingest(local, [span('odd', { output, metadata: { cancelled: odd } }), span('fine')])
  const api = `${local.baseUrl}/traces`
  for (const url of [local.traceUrl('t1'), new URL('/traces', api).href, api, `${api}/t1`])
    t.is((await fetch(url)).status, 200, url)
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

/** The page of the trace t1 of these spans. */
const shown = async (t: ExecutionContext, ...spans: ReadonlyArray<object>): Promise<string> => {
  const local = await start(t)
  const [status, body] = await ingest(local, spans)
  t.is(status, 200, JSON.stringify(body))
  return page(local.traceUrl('t1'))
}

const text = (content: string): string => `<div class="text" dir="auto">${content}</div>`

test('a conversation is shown message by message: parts, thoughts, refusals, calls and their results', async (t) => {
  const call = (id: string, args: unknown): object => ({ id, function: { name: 'f', arguments: args } })
  const input = [
    { role: 'developer', content: 'Dev' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'See' },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
        { type: 'input_image', image_url: 'https://example.org/b.png' },
        { type: 'other' },
      ],
    },
    { role: 'assistant', content: null, reasoning_content: 'Hm', refusal: 'No' },
    { role: 'assistant', tool_calls: [call('c1', '{"a":1}'), call('c2', { b: 2 }), call('c3', 'half')] },
    { role: 'tool', tool_call_id: 'c1', content: '{"c":3}' },
    { role: 'critic', content: 'Odd' },
  ]
  const html = await shown(t, span('a', { input: JSON.stringify(input) }))
  const number = (key: string, value: number): string =>
    `<pre>{\n  <span class="k">&quot;${key}&quot;</span>: <span class="l">${value}</span>\n}</pre>`
  for (const piece of [
    `<div class="msg r-system"><h3>developer</h3>${text('Dev')}</div>`,
    `<div class="msg r-user"><h3>user</h3>${text('See')}<div class="call"><b>image</b> <small>https://example.org/a.png</small></div><div class="call"><b>image</b> <small>https://example.org/b.png</small></div><pre>`,
    `<h3>assistant</h3><div class="thought">${text('Hm')}</div><div class="warn">No</div></div>`,
    `<div class="call"><b>f</b><small>c1</small>${number('a', 1)}</div>`,
    `<div class="call"><b>f</b><small>c2</small>${number('b', 2)}</div>`,
    '<div class="call"><b>f</b><small>c3</small><pre>half</pre></div>',
    `<div class="msg r-tool"><h3>tool <small>c1</small></h3>${number('c', 3)}</div>`,
    `<div class="msg r-other"><h3>critic</h3>${text('Odd')}</div>`,
  ])
    t.true(html.includes(piece), piece)
})

test('of a reply the texts are shown, and its messages where it has no text', async (t) => {
  const messages = [{ role: 'assistant', content: 'From the message' }]
  const said = await shown(
    t,
    span('a', { output: JSON.stringify({ replies: ['Hello'], messages, meta: 1 }) }),
  )
  t.true(said.includes(`<div class="field">${text('Hello')}</div>`))
  t.regex(said, /<summary>messages, meta<\/summary>/u)
  const silent = await shown(t, span('a', { output: JSON.stringify({ replies: [''], messages, meta: 1 }) }))
  t.true(silent.includes(`<h3>assistant</h3>${text('From the message')}`))
  t.regex(silent, /<summary>meta<\/summary>/u)
  const alone = await shown(t, span('a', { output: '{"replies":["Hello"]}' }))
  t.notRegex(alone, /<summary><\/summary>/u)
})

test('an object with long texts or conversations is shown field by field, any other as JSON', async (t) => {
  const fields = (value: unknown): Promise<string> => shown(t, span('a', { input: JSON.stringify(value) }))
  const field = (name: string): string => `<div class="field"><h3><bdi>${name}</bdi></h3>`
  const documents = ['d'.repeat(61), 'short']
  t.true((await fields({ documents })).includes(`${field('documents')}${documents.map(text).join('')}`))
  t.true((await fields({ lines: 'one\ntwo' })).includes(`${field('lines')}${text('one\ntwo')}`))
  const history = [{ role: 'user', content: 'Hi' }]
  t.true((await fields({ history })).includes(`${field('history')}<div class="msg r-user">`))
  t.false((await fields({ short: 'd'.repeat(60) })).includes('class="field"'))
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`f${n}`, 'one\ntwo']))
  t.false((await fields(many)).includes('class="field"'))
})

test('short lists, and vectors of any length, stand on one line', async (t) => {
  const lists = async (value: unknown): Promise<string> =>
    (await shown(t, span('a', { input: JSON.stringify(value) }))).replaceAll(/<\/?span[^>]*>|&quot;/gu, '')
  t.true((await lists({ a: ['b', 1, null] })).includes('a: [b, 1, null]'))
  t.true((await lists({ v: Array(50).fill(0.125) })).includes(`v: [${Array(50).fill(0.125).join(', ')}]`))
  t.true((await lists(Array(30).fill(false))).includes('[\n  false,\n  false,'))
  t.true((await lists({ a: [], b: {} })).includes('a: [],\n  b: {}'))
})

test('what a span is about is told as facts', async (t) => {
  const html = await shown(
    t,
    span('root', { log_type: 'workflow', thread_identifier: 'th', span_name: 'n'.repeat(300) }),
    span('llm', {
      span_parent_id: 'root',
      log_type: 'chat',
      model: 'gpt-4o',
      prompt_tokens: 100,
      completion_tokens: 30,
      time_to_first_token: 0.25,
      usage: { completion_tokens_details: { reasoning_tokens: 7 } },
      start_time: '2026-03-07T08:00:00.500Z',
    }),
    span('none', { span_parent_id: 'root', log_type: 'custom', reasoning_tokens: 0, completion_tokens: 5 }),
  )
  for (const [name, value] of [
    ['Thread', 'th'],
    ['Model calls', '1'],
    ['Cost', '$0.00055'],
    ['thread', 'th'],
    ['starts at', '500 ms'],
    ['first token after', '250 ms'],
    ['reasoning tokens', '7'],
    ['tokens per second', '40'],
    ['cost', '$0.00055'],
  ])
    t.true(html.includes(`<dt>${name}</dt><dd><bdi>${value}</bdi>`), name)
  t.is(html.match(/<dt>(?:reasoning tokens|tokens per second)<\/dt>/gu)?.length, 2)
  t.regex(html, /<details class="span t-other">/u)
  t.true(html.includes(`>${'n'.repeat(200)}…</bdi>`))
  t.regex(html, /<a class="up" href="\/traces">Traces<\/a>/u)
  t.notRegex(await shown(t, span('a')), /Model calls|Cost|Thread/u)
})

test('the bar of a span shows its wait, is wide enough to be seen, and ends where the axis does', async (t) => {
  const html = await shown(
    t,
    span('root', { latency: 4 }),
    span('llm', { span_parent_id: 'root', latency: 2, time_to_first_token: 1 }),
    span('brief', {
      span_parent_id: 'root',
      start_time: '2026-03-07T08:00:04Z',
      latency: 0,
      metadata: { cancelled: true },
    }),
  )
  const bars = [...html.matchAll(/<rect class="(bar[^"]*)" x="([^"]*)" width="([^"]*)"/gu)].map((bar) =>
    bar.slice(1, 4),
  )
  t.deepEqual(bars, [
    ['bar', '0%', '100%'],
    ['bar wait', '0%', '50%'],
    ['bar', '25%', '25%'],
    ['bar void', '99.65%', '0.35%'],
  ])
  const marks = [...html.matchAll(/<text x="([^"]*)" y="21" text-anchor="(\w+)">([^<]*)</gu)]
  t.deepEqual(
    marks.map((mark) => mark.slice(1, 4)),
    [
      ['0%', 'start', '0'],
      ['25%', 'middle', '1 s'],
      ['50%', 'middle', '2 s'],
      ['75%', 'middle', '3 s'],
      ['100%', 'end', '4 s'],
    ],
  )
  t.regex(await shown(t, span('a', { latency: 1 })), /x="20%" y="21" text-anchor="middle">200 ms</u)
  t.regex(await shown(t, span('a', { latency: 2 })), /x="25%" y="21" text-anchor="middle">500 ms</u)
  const instant = await shown(t, span('a', { latency: 0 }))
  t.regex(instant, /<text x="0%" y="21" text-anchor="start">0</u)
  t.notRegex(instant, /NaN/u)
})

test('a failure is shown with its stack, wherever that came from, and open where it happened', async (t) => {
  const html = await shown(
    t,
    span('root', { status_code: 500 }),
    span('failed', {
      span_parent_id: 'root',
      status_code: 500,
      metadata: { 'exception.stacktrace': 'at a.js', mine: 1 },
      properties: { respan_error: { tag: 'x' }, own: 2 },
      warnings: { slow: true },
    }),
  )
  t.regex(html, /<strong>Failed without a message<\/strong><pre>at a\.js<\/pre>/u)
  t.is(html.match(/at a\.js/gu)?.length, 1)
  t.regex(html, /<dt><bdi>mine<\/bdi><\/dt><dd><bdi>1<\/bdi><\/dd>/u)
  t.notRegex(html, /respan_error/u)
  t.regex(html, /<div class="warn"><pre>\{\n {2}<span class="k">&quot;slow&quot;/u)
  t.is(html.match(/<details class="span t-task bad">/gu)?.length, 1)
  t.is(html.match(/<details class="span t-task bad" open>/gu)?.length, 1)
})

test('messages of a span stand for the input and the output that it has not', async (t) => {
  const messages = {
    prompt_messages: [{ role: 'user', content: 'Asked' }],
    completion_message: { role: 'assistant', content: 'Answered' },
  }
  const html = await shown(t, span('a', { ...messages, output: '' }))
  t.true(html.includes(text('Asked')))
  t.true(html.includes(text('Answered')))
  const own = await shown(t, span('a', { ...messages, input: 'In', output: 'Out' }))
  t.notRegex(own, /Asked|Answered/u)
  t.regex(
    await shown(t, span('a', { input: '' })),
    /<h2>Input<\/h2><div class="content"><span class="none">nothing/u,
  )
})

test('what went into a trace and came out stands above its spans, unless it is one span', async (t) => {
  const root = span('root', { input: 'In', output: 'Out' })
  const html = await shown(t, root, span('child', { span_parent_id: 'root' }))
  t.true(
    html.includes(
      `<div class="io ends"><section class="card"><h2>Input</h2><div class="content">${text('In')}</div></section><section class="card"><h2>Output</h2><div class="content">${text('Out')}</div></section></div>`,
    ),
  )
  t.notRegex(await shown(t, root), /io ends/u)
  t.notRegex(await shown(t, span('root'), span('child', { span_parent_id: 'root' })), /io ends/u)
  const parts = ['a', 'b'].map((id) => span(id, { span_parent_id: 'root', input: 'In', output: 'Out' }))
  t.notRegex(await shown(t, ...parts), /io ends/u, 'the root has not arrived')
})

test('of a trace of very many spans the first 2,000 are shown', async (t) => {
  const spans = Array.from({ length: 2_001 }, (_, n) => span(`s${n}`))
  const html = await shown(t, ...spans)
  t.is(html.match(/<details class="span /gu)?.length, 2_000)
  t.regex(html, /<p class="more">1 more spans are not shown\./u)
  t.notRegex(await shown(t, ...spans.slice(1)), /class="more"/u)
})

const durations: ReadonlyArray<readonly [seconds: number, shown: string]> = [
  [0, '0 ms'],
  [0.000_42, '0.42 ms'],
  [0.001_5, '1.5 ms'],
  [0.412, '412 ms'],
  [0.999_6, '1 s'],
  [1.25, '1.25 s'],
  [59.996, '1 m 00 s'],
  [125, '2 m 05 s'],
  [12_000, '3 h 20 m'],
]

for (const [latency, expected] of durations) {
  test(`a span of ${latency} s is said to take ${expected}`, async (t) => {
    const html = await shown(t, span('a', { latency, timestamp: undefined }))
    t.true(html.includes(`<dt>takes</dt><dd><bdi>${expected}</bdi></dd>`))
  })
}

const costs: ReadonlyArray<readonly [cost: number, shown: string]> = [
  [0, '$0'],
  [0.000_018_2, '$0.0000182'],
  [0.05, '$0.050'],
  [1.2, '$1.20'],
]

for (const [cost, expected] of costs) {
  test(`a cost of ${cost} is shown as ${expected}`, async (t) => {
    const html = await shown(t, span('a', { cost }))
    t.true(html.includes(`<dt>cost</dt><dd><bdi>${expected}</bdi></dd>`))
  })
}

test('the list shows each trace in a row: when, how long, how much, and what failed', async (t) => {
  const local = await start(t)
  await ingest(local, [
    span('a', { trace_unique_id: 'long', latency: 4, cost: 0.05, prompt_tokens: 1_200, status_code: 500 }),
    span('a', { trace_unique_id: 'short' }),
    { trace_unique_id: 'bare', span_unique_id: 'a' },
  ])
  const rows = (await page(new URL('/traces', local.baseUrl).href)).split('<tr>').slice(2)
  const cells = rows.map((row) =>
    [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gsu)].map(([, cell = '']) =>
      cell.replaceAll(/<[^>]*>/gu, '').trim(),
    ),
  )
  t.deepEqual(cells, [
    ['abare', 'OK', 'unknown', '0 ms', '1', '', ''],
    ['ashort', 'OK', '2026-03-07 08:00:00.000', '1 s', '1', '', ''],
    ['along', 'Failed', '2026-03-07 08:00:00.000', '4 s', '1 failed 1', '1,200', '$0.050'],
  ])
  t.deepEqual(
    rows.map((row) => /class="([\w-]+)"><rect class="bar" width="([^"]*)"/u.exec(row)?.slice(1)),
    [
      ['t-chat', '1%'],
      ['t-chat', '25%'],
      ['bad', '100%'],
    ],
  )
})

test('of very many traces the list shows the newest 200', async (t) => {
  const local = await start(t)
  await ingest(
    local,
    Array.from({ length: 201 }, (_, n) => span('a', { trace_unique_id: `t${n}` })),
  )
  const html = await page(new URL('/traces', local.baseUrl).href)
  t.regex(html, /<span class="count">the newest 200 of 201</u)
  t.is(html.match(/<tr>/gu)?.length, 201)
  t.true(html.includes('<small>t200</small>') && !html.includes('<small>t0</small>'))
})

test('pages are for browsers to show, not to keep or to guess at', async (t) => {
  const local = await start(t)
  const headers = async (path: string): Promise<Headers> =>
    (await fetch(new URL(path, local.baseUrl))).headers
  for (const [path, type, kept] of [
    ['/traces', 'text/html; charset=utf-8', 'no-store'],
    ['/traces/none', 'text/html; charset=utf-8', 'no-store'],
    ['/favicon.svg', 'image/svg+xml', 'max-age=86400'],
  ] as const) {
    const got = await headers(path)
    t.is(got.get('content-type'), type)
    t.is(got.get('cache-control'), kept)
    t.is(got.get('x-content-type-options'), 'nosniff')
    t.is(got.get('referrer-policy'), 'no-referrer')
    t.is(got.get('cross-origin-resource-policy'), 'same-origin')
    t.regex(got.get('content-security-policy') ?? '', /frame-ancestors 'none'/u)
  }
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

test('pages reload while something is still to come', async (t) => {
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

test('the list has no link without a text, and can be told not to reload', async (t) => {
  const local = await start(t)
  await ingest(local, [span('root')])
  const list = await page(new URL('/traces', local.baseUrl).href)
  t.notRegex(list, /<a [^>]*><\/a>/u)
  t.regex(list, /http-equiv="refresh"/u)
  const [, href = ''] = /<a href="([^"]*)">Stop<\/a>/u.exec(list) ?? []
  const still = await page(new URL(href, local.baseUrl).href)
  t.regex(still, /<bdi>root<\/bdi>/u)
  t.notRegex(still, /http-equiv="refresh"/u)
  t.regex(still, /<a href="\/traces">Resume<\/a>/u)
})

test('the page of a trace under way can be told not to reload', async (t) => {
  const local = await start(t)
  await ingest(local, [span('child', { span_parent_id: 'root' })])
  const [, href = ''] = /<a href="([^"]*)">Stop<\/a>/u.exec(await page(local.traceUrl('t1'))) ?? []
  const still = await page(new URL(href, local.baseUrl).href)
  t.regex(still, /Incomplete/u)
  t.notRegex(still, /http-equiv="refresh"/u)
  t.regex(still, /<a href="\/traces\/t1">Resume<\/a>/u)
  await ingest(local, [span('root')])
  t.notRegex(await page(new URL(href, local.baseUrl).href), /Resume/u)
})

test('ids in a URL are checked, and long texts are cut', async (t) => {
  const local = await start(t)
  const root = new URL('/traces/', local.baseUrl).href
  for (const id of ['%00', '%E0%A4%A', 'x'.repeat(600), '..%2f..%2fetc'])
    t.is((await fetch(root + id)).status, 404, id)
  for (const id of ['x'.repeat(513), 'a\u0001b']) {
    await ingest(local, [span('a', { trace_unique_id: id })])
    t.is((await fetch(root + encodeURIComponent(id))).status, 404, id)
  }
  const longest = 'x'.repeat(512)
  await ingest(local, [span('a', { trace_unique_id: longest })])
  t.is((await fetch(root + longest)).status, 200)
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

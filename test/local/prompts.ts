import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { ChatRequest } from '../../dist/codecs/ChatRequest.js'
import { InvalidInput } from '../../dist/errors.js'
import { type Local, type LocalPrompt, startLocal } from '../../dist/local/index.js'
import { fixture } from '../helpers/fixture.js'
import { start } from '../helpers/local.js'

const translator: LocalPrompt = {
  name: 'Translator',
  deployed: 3,
  versions: [
    { messages: [{ role: 'user', content: 'Say one' }] },
    { messages: [{ role: 'user', content: 'Say two' }] },
    {
      messages: [
        { role: 'system', content: 'Translate into {{language}}.' },
        { role: 'user', content: '{{user_input}}' },
      ],
      model: 'gpt-4o-mini',
      variables: { language: 'French', user_input: '' },
      params: { temperature: 0.2, max_tokens: 300 },
      fallback_models: ['gpt-4o'],
    },
    { messages: [{ role: 'user', content: 'Say draft' }] },
  ],
}

const PROMPTS: Readonly<Record<string, LocalPrompt>> = {
  translator,
  greeting: {
    messages: [{ role: 'system', content: 'Greet {{ name | upper }}.' }],
    variables: { name: 'nobody' },
  },
  support: {
    messages: [
      { role: 'system', content: '{{persona}}' },
      { role: 'user', content: '{{request}}{% if photo %} See {{photo}} please.{% endif %}' },
    ],
    model: 'gpt-4o',
  },
  logic: {
    messages: [
      {
        role: 'user',
        content: '{# note #}{% for item in input.items %}[{{ item.name }}]{% endfor %}\n\n  {{ missing }}!',
      },
    ],
    model: 'm',
  },
  loop: {
    messages: [{ role: 'user', content: '{{x}}' }],
    model: 'm',
    variables: { x: { _type: 'prompt', prompt_id: 'pool' } },
  },
  pool: {
    messages: [{ role: 'user', content: '{{x}}' }],
    model: 'm',
    variables: { x: { _type: 'prompt', prompt_id: 'loop' } },
  },
  broken: { messages: [{ role: 'user', content: '{% if x %}never closed' }], model: 'm' },
}

const call = async (local: Local, body: object): Promise<readonly [number, Record<string, unknown>]> => {
  const response = await fetch(`${local.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return [response.status, JSON.parse(await response.text())]
}

const get = async (
  local: Local,
  path: string,
  method = 'GET',
): Promise<readonly [number, Record<string, unknown>]> => {
  const response = await fetch(`${local.baseUrl}${path}`, { method })
  return [response.status, JSON.parse(await response.text())]
}

test('v2: the stored prompt wins, patch changes parameters, messages of the body come after', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const [status, body] = await call(local, {
    prompt: {
      prompt_id: 'translator',
      schema_version: 2,
      variables: { user_input: 'The cat sat' },
      patch: { max_tokens: 2 },
      echo: true,
    },
    model: 'ignored',
    messages: [{ role: 'user', content: 'And the dog' }],
    request_breakdown: true,
  })
  t.is(status, 200)
  t.is(body.model, 'gpt-4o-mini-2024-07-18')
  t.deepEqual(body.prompt_message, [
    { role: 'system', content: 'Translate into French.' },
    { role: 'user', content: 'The cat sat' },
    { role: 'user', content: 'And the dog' },
  ])
  t.like(body, { choices: [{ finish_reason: 'length' }] })
  t.like(body, { request_breakdown: { full_request: { temperature: 0.2, max_tokens: 2 } } })
})

test('v1: the body wins, unless override lets the stored prompt win', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const own = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say mine' }] }
  const prompt = { prompt_id: 'translator', variables: { user_input: 'Hi' } }
  const [, plain] = await call(local, { ...own, prompt })
  t.is(plain.model, 'gpt-4o-2024-08-06')
  t.deepEqual(plain.prompt_message, own.messages)
  const [, overridden] = await call(local, { ...own, prompt: { ...prompt, override: true } })
  t.is(overridden.model, 'gpt-4o-mini-2024-07-18')
  t.like(overridden, { prompt_message: [{ content: 'Translate into French.' }, { content: 'Hi' }] })
  const [, silent] = await call(local, { ...own, prompt: { ...prompt, echo: false } })
  t.false('prompt_message' in silent)
})

test('v1: override_params beat the prompt, and their messages replace it or are appended', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const messages = [{ role: 'user', content: 'And be brief.' }]
  const prompt = {
    prompt_id: 'translator',
    variables: { user_input: 'Hello', language: 'Latin' },
    override: true,
    override_params: { model: 'gpt-4o', max_tokens: 1, messages },
  }
  const [, replaced] = await call(local, { prompt })
  t.is(replaced.model, 'gpt-4o-2024-08-06')
  t.deepEqual(replaced.prompt_message, messages)
  const [, appended] = await call(local, {
    prompt: { ...prompt, override_config: { messages_override_mode: 'append' } },
  })
  t.deepEqual(appended.prompt_message, [
    { role: 'system', content: 'Translate into Latin.' },
    { role: 'user', content: 'Hello' },
    ...messages,
  ])
})

test('v1: without messages of the body those of the prompt are asked', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const prompt = { prompt_id: 'translator', variables: { user_input: 'Hi' } }
  const rendered = [
    { role: 'system', content: 'Translate into French.' },
    { role: 'user', content: 'Hi' },
  ]
  for (const more of [{}, { messages: [] }])
    t.deepEqual((await call(local, { ...more, prompt }))[1].prompt_message, rendered)
})

test('a custom prompt is only named, unless the messages are to come from it', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const messages = [{ role: 'user', content: 'Say mine' }]
  const custom = { prompt_id: 'elsewhere', is_custom_prompt: true }
  const [status, answer] = await call(local, { model: 'm', messages, prompt: custom })
  t.is(status, 200)
  t.like(answer, { choices: [{ message: { content: 'mine' } }] })
  t.false('prompt_message' in answer)
  t.is((await call(local, { model: 'm', prompt: custom }))[0], 404)
})

test('the models of a version are asked: its fallbacks, and one of those it balances', async (t) => {
  const messages = [{ role: 'user' as const, content: 'Say x' }]
  const local = await start(t, {
    faults: [{ model: 'down', status: 503 }],
    prompts: {
      fallback: { messages, model: 'down', fallback_models: ['up'] },
      balanced: { messages, load_balance_models: [{ model: 'picked', weight: 1 }] },
    },
  })
  const answered = async (prompt_id: string): Promise<unknown> =>
    (await call(local, { prompt: { prompt_id, schema_version: 2 } }))[1].model
  t.is(await answered('fallback'), 'up')
  t.is(await answered('balanced'), 'picked')
})

test('templates may stand in the parts of a message, in what the assistant said, and beside calls', async (t) => {
  const image = { type: 'image_url' as const, image_url: { url: 'https://example.org/a.png' } }
  const calls = [{ id: 'a', type: 'function' as const, function: { name: 'f', arguments: '{}' } }]
  const local = await start(t, {
    prompts: {
      parts: {
        model: 'm',
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'See {{what}}' }, image] },
          { role: 'assistant', content: '{{what}}?' },
          { role: 'assistant', tool_calls: calls },
          { role: 'tool', tool_call_id: 'a', content: '{{what}}!' },
          { role: 'user', content: [{ type: 'text', text: ' {{photo}} ' }] },
        ],
      },
    },
  })
  const photo = { _type: 'image_url', value: 'https://example.org/b.png' }
  const prompt = { prompt_id: 'parts', schema_version: 2, variables: { what: 'this', photo } }
  t.deepEqual((await call(local, { prompt }))[1].prompt_message, [
    { role: 'user', content: [{ type: 'text', text: 'See this' }, image] },
    { role: 'assistant', content: 'this?' },
    { role: 'assistant', tool_calls: calls },
    { role: 'tool', tool_call_id: 'a', content: 'this!' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: photo.value } }] },
  ])
})

test('a prompt within a prompt is its messages, line by line', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const persona = { _type: 'prompt', prompt_id: 'translator', variables: { user_input: 'Hi' } }
  const [, body] = await call(local, {
    prompt: { prompt_id: 'support', schema_version: 2, variables: { persona } },
  })
  t.like(body, { prompt_message: [{ content: 'Translate into French.\nHi' }] })
})

test('a version is the deployed one, a number, or the latest', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const said = async (version?: number | 'latest'): Promise<unknown> => {
    const prompt = {
      prompt_id: 'translator',
      schema_version: 2,
      ...(version === undefined ? {} : { version }),
    }
    const [, body] = await call(local, { prompt, model: 'm' })
    return (body.prompt_message as ReadonlyArray<{ content: string }> | undefined)?.at(-1)?.content ?? body
  }
  t.is(await said(), '')
  t.is(await said(1), 'Say one')
  t.is(await said('latest'), 'Say draft')
  t.deepEqual(await said(9), { detail: 'Version 9 of prompt translator not found' })
})

test('typed variables: text, image, JSON, and another prompt as text', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const [, body] = await call(local, {
    prompt: {
      prompt_id: 'support',
      schema_version: 2,
      variables: {
        request: { _type: 'text', value: 'Refund {{ 1 + 1 }}' },
        photo: { _type: 'image_url', value: 'https://example.org/receipt.jpg' },
        persona: { _type: 'prompt', prompt_id: 'greeting', variables: { name: 'Sarah' } },
      },
    },
  })
  t.deepEqual(body.prompt_message, [
    { role: 'system', content: 'Greet SARAH.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Refund {{ 1 + 1 }} See ' },
        { type: 'image_url', image_url: { url: 'https://example.org/receipt.jpg' } },
        { type: 'text', text: ' please.' },
      ],
    },
  ])
})

test('no text is taken for an image, whatever characters it has', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const request = 'a\uE0000\uE001b\uE00099\uE001c'
  const rendered = async (variables: object): Promise<unknown> => {
    const [, body] = await call(local, { prompt: { prompt_id: 'support', schema_version: 2, variables } })
    return Array.isArray(body.prompt_message) ? body.prompt_message.at(-1)?.content : body
  }
  t.is(await rendered({ request }), request)
  const photo = { _type: 'image_url', value: 'https://example.org/a.png' }
  t.deepEqual(await rendered({ request, photo }), [
    { type: 'text', text: `${request} See ` },
    { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
    { type: 'text', text: ' please.' },
  ])
})

test('templates are Jinja with its own white space; a missing variable is empty', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const variables = { input: { _type: 'json', value: { items: [{ name: 'a' }, { name: 'b' }] } } }
  const [, body] = await call(local, { prompt: { prompt_id: 'logic', schema_version: 2, variables } })
  t.deepEqual(body.prompt_message, [{ role: 'user', content: '[a][b]\n\n  !' }])
})

test('composition: circular and too deep is 400, unknown is 404, an error in a template 400', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const [circular, { detail }] = await call(local, { prompt: { prompt_id: 'loop', schema_version: 2 } })
  t.is(circular, 400)
  t.is(detail, 'Circular prompt composition: loop -> pool -> loop')
  const nested = (depth: number): object =>
    depth === 0
      ? { _type: 'prompt', prompt_id: 'greeting' }
      : { _type: 'prompt', prompt_id: `p${depth}`, variables: { persona: nested(depth - 1) } }
  const chain = Object.fromEntries([1, 2, 3].map((n) => [`p${n}`, PROMPTS.support ?? translator]))
  const deep = await start(t, { prompts: { ...PROMPTS, ...chain } })
  const at = (depth: number) => ({
    prompt: { prompt_id: 'support', schema_version: 2, variables: { persona: nested(depth) } },
  })
  t.is((await call(deep, at(1)))[0], 200)
  t.is((await call(deep, at(2)))[0], 400)
  t.deepEqual(await call(local, { prompt: { prompt_id: 'nope', schema_version: 2 } }), [
    404,
    { detail: 'Prompt nope not found' },
  ])
  t.is((await call(local, { prompt: { prompt_id: 'broken', schema_version: 2 } }))[0], 400)
})

test('patch must not contain messages', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const prompt = { prompt_id: 'translator', schema_version: 2, patch: { messages: [] } }
  t.false(ChatRequest.is({ prompt }))
  t.is((await call(local, { prompt }))[0], 422)
})

test('the prompt endpoints have the documented shapes', async (t) => {
  const local = await start(t, { prompts: PROMPTS })
  const [, list] = await get(local, '/prompts/list/?page=2&page_size=2', 'POST')
  t.is(list.count, Object.keys(PROMPTS).length)
  t.is((list.results as ReadonlyArray<unknown>).length, 2)
  t.regex(String(list.next), /page=3/u)
  t.regex(String(list.previous), /page=1/u)
  t.is((await get(local, '/prompts/'))[1].count, list.count)
  const sample = JSON.parse(fixture('prompts.list.json'))
  const [, prompt] = await get(local, '/prompts/translator/')
  t.deepEqual(Object.keys(prompt).toSorted(), Object.keys(sample.results[0]).toSorted())
  t.like(prompt, {
    id: 'translator',
    name: 'Translator',
    current_version: { version: 4 },
    live_version: { version: 3 },
  })
  const [, versions] = await get(local, '/prompts/translator/versions/')
  t.is(versions.count, 4)
  const [, version] = await get(local, '/prompts/translator/versions/3/')
  const missing = Object.keys(JSON.parse(fixture('prompt.version.json'))).filter((key) => !(key in version))
  t.deepEqual(missing, [])
  t.like(version, { version: 3, temperature: 0.2, is_deployed: true, variables: { language: 'French' } })
  t.is((await get(local, '/prompts/nope/'))[0], 404)
  t.is((await get(local, '/prompts/translator/versions/9/'))[0], 404)
})

test('a list of prompts comes in pages of at most 100, and names those beside them', async (t) => {
  const messages = [{ role: 'user' as const, content: 'Say x' }]
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, { messages }]))
  const local = await start(t, { prompts: many })
  const shape = async (query: string): Promise<ReadonlyArray<unknown>> => {
    const [, { results, next, previous }] = await get(local, `/prompts/${query}`)
    const pageOf = (url: unknown): string | null =>
      typeof url === 'string' ? new URL(url).search.slice(1) : null
    return [Array.isArray(results) ? results.length : results, pageOf(next), pageOf(previous)]
  }
  t.deepEqual(await shape('?page_size=1000'), [100, 'page_size=1000&page=2', null])
  t.deepEqual(await shape('?page_size=1000&page=2'), [1, null, 'page_size=1000&page=1'])
  const usual = [25, 'page=2', null]
  t.deepEqual(await shape(''), usual)
  for (const wrong of ['0', '-1', '1.5', 'x']) {
    const [count, , previous] = await shape(`?page=${wrong}&page_size=${wrong}`)
    t.deepEqual([count, previous], [25, null], wrong)
  }
  const whole = { versions: Array.from({ length: 50 }, () => ({ messages })) }
  const exact = await start(t, { prompts: { p: whole } })
  t.is((await get(exact, '/prompts/p/versions/?page=2'))[1].next, null)
})

test('the versions of a prompt are told newest first, and each with all that it has', async (t) => {
  const messages = [{ role: 'user' as const, content: 'Say x' }]
  const second = {
    messages,
    version: 2,
    description: 'The second',
    fallback_models: ['b'],
    load_balance_models: [{ model: 'c', weight: 1 }],
    response_format: { type: 'json_object' as const },
  }
  const prompts = { p: { description: 'Mine', versions: [{ messages, version: 7 }, second] } }
  const local = await start(t, { prompts })
  const [, { results }] = await get(local, '/prompts/p/versions/')
  t.like(results, { 0: { version: 7, is_enforcing_response_format: false }, 1: { version: 2 } })
  const [, told] = await get(local, '/prompts/p/versions/2/')
  t.like(told, { ...second, is_enforcing_response_format: true, is_deployed: false })
  t.like((await get(local, '/prompts/p/versions/latest/'))[1], { version: 7, is_deployed: true })
  t.like((await get(local, '/prompts/p/'))[1], { description: 'Mine', live_version: { version: 7 } })
  t.deepEqual(await get(local, '/prompts/p/versions/x/'), [404, { detail: 'Prompt version not found' }])
})

test('parameters stand in params, or beside the messages as the platform has them', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'respan-rx-prompts-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'exported.json'), fixture('prompt.version.json'))
  const prompts: Readonly<Record<string, LocalPrompt>> = {
    both: {
      messages: [{ role: 'user', content: 'Say hi' }],
      model: 'm',
      temperature: 0.1,
      top_p: 0.5,
      seed: null,
      params: { temperature: 0.3 },
    },
  }
  const local = await start(t, { prompts, promptsDirectory: folder })
  const asked = async (prompt_id: string): Promise<unknown> => {
    const prompt = { prompt_id, schema_version: 2 }
    const [, body] = await call(local, { prompt, request_breakdown: true })
    return body.request_breakdown
  }
  t.like(await asked('both'), { full_request: { temperature: 0.3, top_p: 0.5 } })
  t.like(await asked('exported'), { full_request: { temperature: 0.2, max_tokens: 300, top_p: 1 } })
  t.like((await get(local, '/prompts/both/versions/1/'))[1], { temperature: 0.3, top_p: 0.5, seed: null })
  await writeFile(join(folder, 'hot.json'), '{"messages": [], "temperature": 3}')
  const error = await t.throwsAsync(startLocal({ promptsDirectory: folder }), { instanceOf: InvalidInput })
  t.regex(error?.message ?? '', /hot\.json.*temperature/u)
})

test('prompts come from a folder, and those from code win', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'respan-rx-prompts-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(
    join(folder, 'from-file.json'),
    JSON.stringify({ messages: [{ role: 'user', content: 'Say {{x}}' }], model: 'm' }),
  )
  await writeFile(
    join(folder, 'greeting.json'),
    JSON.stringify({ messages: [{ role: 'user', content: 'Say file' }] }),
  )
  await writeFile(join(folder, 'README.md'), 'Our prompts.')
  const local = await start(t, { prompts: PROMPTS, promptsDirectory: folder })
  const [, body] = await call(local, {
    prompt: { prompt_id: 'from-file', schema_version: 2, variables: { x: 'hi' } },
  })
  t.like(body, { choices: [{ message: { content: 'hi' } }] })
  t.is((await get(local, '/prompts/greeting/'))[1].name, 'greeting')
  t.like((await get(local, '/prompts/greeting/versions/1/'))[1], { messages: [{ role: 'system' }] })
  await writeFile(join(folder, 'wrong.json'), '{"messages": "none"}')
  const error = await t.throwsAsync(startLocal({ promptsDirectory: folder }), { instanceOf: InvalidInput })
  t.regex(error?.message ?? '', /wrong\.json.*messages/u)
  await writeFile(join(folder, 'wrong.json'), 'secret')
  const noJson = await t.throwsAsync(startLocal({ promptsDirectory: folder }), { instanceOf: InvalidInput })
  t.regex(noJson?.message ?? '', /wrong\.json: expected JSON, found string\(6 characters\)\.$/u)
  t.true(noJson?.cause instanceof SyntaxError)
})

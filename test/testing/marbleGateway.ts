import test from 'ava'
import { lastValueFrom, type Observable, take } from 'rxjs'
import type { ChatChunk } from '../../dist/codecs/ChatChunk.js'
import { ChatChunk as ChatChunkCodec } from '../../dist/codecs/ChatChunk.js'
import type { ChatRequest } from '../../dist/codecs/ChatRequest.js'
import { ChatResponse } from '../../dist/codecs/ChatResponse.js'
import { HttpError, InvalidInput, NetworkError } from '../../dist/errors.js'
import { fromChat } from '../../dist/sources/fromChat.js'
import type { GatewayEvent } from '../../dist/sources/Gateway.js'
import {
  type MarbleHelpers,
  type MarbleScript,
  type MarbleValue,
  marbleGateway,
  marbles,
} from '../../dist/testing/index.js'
import { anything } from '../helpers/anything.js'

const streamed: ChatRequest = { model: 'm', stream: true, messages: [{ role: 'user', content: 'one two' }] }
const whole: ChatRequest = { ...streamed, stream: false }

const short = (event: GatewayEvent): string => {
  switch (event._tag) {
    case 'Chunk': {
      const [choice] = event.chunk.choices
      if (choice === undefined)
        return `usage ${event.chunk.usage?.prompt_tokens}+${event.chunk.usage?.completion_tokens}`
      return choice.delta?.content ?? `finish ${choice.index} ${choice.finish_reason}`
    }
    case 'Response':
      return `response ${event.response.choices[0]?.message?.content}`
    default:
      return event._tag
  }
}

/** Plays until nothing is scheduled any more, and notes what came at which frame. */
const played = ({ clock, flush }: MarbleHelpers, event$: Observable<GatewayEvent>): ReadonlyArray<string> => {
  const notes: Array<string> = []
  const note = (text: string): void => {
    notes.push(`${clock.now()} ${text}`)
  }
  event$.subscribe({
    next: (event) => note(short(event)),
    error: (error) => note(error instanceof Error ? error.name : String(error)),
    complete: () => note('|'),
  })
  flush()
  return notes
}

const inVirtualTime = <T>(body: (helpers: MarbleHelpers) => T): T => marbles(() => undefined, body)

const play = (event$: Observable<GatewayEvent>): ReadonlyArray<string> =>
  inVirtualTime((helpers) => played(helpers, event$))

const eventsOf = (event$: Observable<GatewayEvent>): ReadonlyArray<GatewayEvent> => {
  const events: Array<GatewayEvent> = []
  inVirtualTime(({ flush }) => {
    event$.subscribe((event) => events.push(event))
    flush()
  })
  return events
}

const responseOf = (event$: Observable<GatewayEvent>): ChatResponse | undefined =>
  eventsOf(event$).flatMap((event) => (event._tag === 'Response' ? [event.response] : []))[0]

const chunksOf = (event$: Observable<GatewayEvent>): ReadonlyArray<ChatChunk> =>
  eventsOf(event$).flatMap((event) => (event._tag === 'Chunk' ? [event.chunk] : []))

test('plays its characters as text, then finishes and counts words', (t) => {
  t.deepEqual(play(marbleGateway('--a-b-|').chat(streamed)), [
    '0 Attempt',
    '0 Headers',
    '2 a',
    '4 b',
    '6 finish 0 stop',
    '6 usage 2+1',
    '6 |',
  ])
})

test('joins the text into one response when the request does not stream', (t) => {
  const gateway = marbleGateway('--a-b-|', { a: 'Good ', b: 'morning' })
  t.deepEqual(play(gateway.chat(whole)), ['0 Attempt', '0 Headers', '6 response Good morning', '6 |'])
  const response = responseOf(gateway.chat(whole))
  t.is(response?.choices[0]?.finish_reason, 'stop')
  t.deepEqual(response?.usage, { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 })
  t.is(response?.model, 'm')
})

test('keeps to time progression and groups', (t) => {
  t.deepEqual(play(marbleGateway('10ms a 1s (bc|)').chat(streamed)), [
    '0 Attempt',
    '0 Headers',
    '10 a',
    '1011 b',
    '1011 c',
    '1011 finish 0 stop',
    '1011 usage 2+1',
    '1011 |',
  ])
})

test('plays from the frame of each subscription', (t) =>
  marbles(t.deepEqual, ({ expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('-----a')
    const sub = '                           ---^---!'
    expectObservable(gateway.chat(streamed), sub).toBe('---(xy)', {
      x: { _tag: 'Attempt', attempt: 1 },
      y: { _tag: 'Headers', status: 200 },
    })
    expectSubscriptions(gateway.subscriptions).toBe(sub)
  }))

test('an endless reply goes on until it is left, and the leaving is recorded', (t) =>
  marbles(t.deepEqual, (helpers) => {
    const gateway = marbleGateway('--a--b---')
    const left = gateway.chat(streamed).pipe(take(3))
    t.deepEqual(played(helpers, left), ['0 Attempt', '0 Headers', '2 a', '2 |'])
    t.deepEqual(
      gateway.subscriptions.map(({ subscribedFrame, unsubscribedFrame }) => [
        subscribedFrame,
        unsubscribedFrame,
      ]),
      [[0, 2]],
    )
    gateway.chat(streamed).subscribe()
    helpers.flush()
    t.is(gateway.subscriptions[1]?.unsubscribedFrame, Number.POSITIVE_INFINITY)
  }))

test('fails with a network error, before any headers when nothing came before', (t) => {
  t.deepEqual(play(marbleGateway('--#').chat(streamed)), ['0 Attempt', '2 NetworkError'])
  t.deepEqual(play(marbleGateway('-a#').chat(streamed)), ['0 Attempt', '0 Headers', '1 a', '2 NetworkError'])
  t.deepEqual(play(marbleGateway('-a#').chat(whole)), ['0 Attempt', '0 Headers', '2 NetworkError'])
})

test('the default error is a new one each time, so that nobody sees what another one added', (t) => {
  const gateway = marbleGateway('#')
  const seen: Array<unknown> = []
  inVirtualTime(({ flush }) => {
    gateway.chat(streamed).subscribe({ error: (error) => seen.push(error) })
    gateway.chat(streamed).subscribe({ error: (error) => seen.push(error) })
    flush()
  })
  t.true(seen.every((error) => error instanceof NetworkError))
  t.not(seen[0], seen[1])
})

test('fails with the error that was given', (t) => {
  const error = new HttpError('Teapot', { status: 418 })
  t.deepEqual(play(marbleGateway('#', {}, error).chat(streamed)), ['0 Attempt', '0 HttpError'])
  t.deepEqual(play(marbleGateway({ marbles: '#', error }).chat(streamed)), ['0 Attempt', '0 HttpError'])
})

test('short forms make reasoning, refusals, tool calls, finish reasons and usage', (t) => {
  const values: Readonly<Record<string, MarbleValue>> = {
    r: { reasoning: 'hm' },
    n: { refusal: 'no' },
    c: { toolCall: { id: 'call_1', name: 'f', arguments: '{"a"' } },
    d: { toolCall: { arguments: ':1}' } },
    u: { usage: { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 } },
    f: { finish: 'tool_calls' },
  }
  const chunks = chunksOf(marbleGateway('rncdfu|', values).chat(streamed))
  t.is(chunks.length, 6, 'no finish, no usage beside their own')
  t.true(chunks.every(ChatChunkCodec.is))
  const response = responseOf(marbleGateway('rncdfu|', values).chat(whole))
  t.deepEqual(response?.choices, [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        refusal: 'no',
        reasoning_content: 'hm',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      finish_reason: 'tool_calls',
    },
  ])
  t.is(response?.usage?.total_tokens, 8)
  t.true(ChatResponse.is(response))
})

test('a tool call alone has no content, as one of a gateway', (t) => {
  const values = { c: { toolCall: { id: 'call_1', name: 'f', arguments: '{}' } } }
  t.is(responseOf(marbleGateway('c|', values).chat(whole))?.choices[0]?.message?.content, null)
})

test('each choice of one response has its own text and finish reason, and all have one cost', (t) => {
  const chunk: ChatChunk = {
    choices: [
      { index: 1, delta: { content: 'b' } },
      { index: 0, delta: { content: 'a' } },
    ],
  }
  const end: ChatChunk = {
    cost: 0.5,
    choices: [
      { delta: {}, finish_reason: 'stop' },
      { index: 1, delta: {}, finish_reason: 'length' },
    ],
  }
  const response = responseOf(marbleGateway('ce|', { c: chunk, e: end }).chat({ ...whole, n: 2 }))
  t.deepEqual(response?.choices, [
    { index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' },
    { index: 1, message: { role: 'assistant', content: 'b' }, finish_reason: 'length' },
  ])
  t.is(response?.cost, 0.5)
})

const logprobs = (token: string) => ({ content: [{ token, logprob: -0.5, bytes: null, top_logprobs: [] }] })

const pieces: ReadonlyArray<readonly [what: string, values: Readonly<Record<string, MarbleValue>>]> = [
  [
    'log probabilities',
    {
      a: { choices: [{ index: 0, delta: { content: 'Hi' }, logprobs: logprobs('Hi') }] },
      b: { choices: [{ index: 0, delta: { content: ' there' }, logprobs: logprobs(' there') }] },
    },
  ],
  [
    'tool calls without an index',
    {
      a: { choices: [{ delta: { tool_calls: [{ id: 'x', function: { name: 'f', arguments: '{}' } }] } }] },
      b: { choices: [{ delta: { tool_calls: [{ id: 'y', function: { name: 'g', arguments: '{}' } }] } }] },
    },
  ],
  [
    'a breakdown',
    {
      a: { choices: [{ delta: { content: 'Hi' }, finish_reason: 'length' }] },
      b: {
        id: 'request_breakdown',
        model: 'extra_parameter',
        choices: [{ index: 0, finish_reason: 'stop', request_breakdown: { cost: 0.25 } }],
      },
    },
  ],
  [
    'a rendered prompt and another model',
    {
      a: { model: 'm-2026', prompt_message: [{ role: 'user', content: 'one' }], choices: [] },
      b: 'Hi',
    },
  ],
  [
    'choices that take turns',
    {
      a: { choices: [{ index: 1, delta: { content: 'b' } }] },
      b: { choices: [{ index: 0, delta: { content: 'a' } }] },
    },
  ],
]

for (const [what, values] of pieces)
  test(`a reply is the same whether it is streamed or not: ${what}`, (t) => {
    const replyTo = (request: ChatRequest): unknown => {
      const replies: Array<unknown> = []
      inVirtualTime(({ flush }) => {
        fromChat(marbleGateway('ab|', values), request).subscribe((event) => {
          if (event._tag === 'ReplyFinished') replies.push(event.reply)
        })
        flush()
      })
      t.is(replies.length, 1)
      return replies[0]
    }
    t.deepEqual(replyTo(whole), replyTo(streamed))
  })

test('what calls itself a response is one, also without a message', (t) => {
  const response: ChatResponse = { object: 'chat.completion', choices: [{ finish_reason: 'stop' }] }
  t.deepEqual(responseOf(marbleGateway('r|', { r: response }).chat(whole)), response)
})

test('usage of its own leaves only the finish chunk to be made', (t) => {
  const gateway = marbleGateway('au|', { u: { usage: { total_tokens: 3 } } })
  t.is(play(gateway.chat(streamed)).filter((note) => note.includes('usage')).length, 1)
  t.true(play(gateway.chat(streamed)).includes('2 finish 0 stop'))
})

test('chunks, responses and events go out as they are', (t) => {
  const chunk: ChatChunk = {
    id: 'own',
    choices: [{ index: 0, delta: { content: 'x' }, finish_reason: 'length' }],
  }
  const response: ChatResponse = {
    choices: [{ index: 0, message: { content: 'whole' }, finish_reason: 'stop' }],
  }
  t.deepEqual(chunksOf(marbleGateway('c|', { c: chunk }).chat(streamed)), [chunk])
  t.deepEqual(play(marbleGateway('-r-|', { r: response }).chat(whole)), [
    '0 Attempt',
    '0 Headers',
    '1 response whole',
    '3 |',
  ])
  t.deepEqual(play(marbleGateway('-r-|', { r: response }).chat(streamed)), [
    '0 Attempt',
    '0 Headers',
    '1 response whole',
    '3 |',
  ])
  t.deepEqual(play(marbleGateway('-e-a', { e: { _tag: 'Attempt', attempt: 2 } }).chat(streamed)), [
    '0 Attempt',
    '0 Headers',
    '1 Attempt',
    '3 a',
  ])
})

test('finishes each of the choices that were asked for', (t) => {
  const notes = play(marbleGateway('a|').chat({ ...streamed, n: 2 }))
  t.deepEqual(notes.slice(3, 5), ['1 finish 0 stop', '1 finish 1 stop'])
  const { messages: _, ...managed } = streamed
  const prompt = { prompt_id: 'p', schema_version: 2, patch: { n: 2 } } as const
  const managedNotes = play(marbleGateway('a|').chat({ ...managed, prompt }))
  t.deepEqual(managedNotes.slice(3, 5), ['1 finish 0 stop', '1 finish 1 stop'])
})

test('finishReason names another end, and null leaves the reply truncated', (t) => {
  t.true(
    play(marbleGateway('a|', {}, undefined, { finishReason: 'length' }).chat(streamed)).includes(
      '1 finish 0 length',
    ),
  )
  t.deepEqual(play(marbleGateway('a|', {}, undefined, { finishReason: null }).chat(streamed)), [
    '0 Attempt',
    '0 Headers',
    '0 a',
    '1 |',
  ])
})

test('a reply without text is finished too', (t) => {
  t.deepEqual(play(marbleGateway('|').chat(streamed)), [
    '0 Attempt',
    '0 Headers',
    '0 finish 0 stop',
    '0 usage 2+0',
    '0 |',
  ])
  t.is(responseOf(marbleGateway('|').chat(whole))?.choices[0]?.message?.content, '')
})

test('a list answers one request each, its last entry all that follow', (t) => {
  const gateway = marbleGateway(['#', { marbles: 'a|', values: { a: 'own' } }], { a: 'common' })
  t.deepEqual(play(gateway.chat(streamed)), ['0 Attempt', '0 NetworkError'])
  t.true(play(gateway.chat(streamed)).includes('0 own'))
  t.true(play(gateway.chat(streamed)).includes('0 own'))
})

test('a list with a hole is refused when it is made', (t) => {
  const list = ['a|']
  list[2] = 'c|'
  t.throws(() => marbleGateway(list), { any: true })
})

test('a script with a field that nothing reads is refused: its characters would be texts', (t) => {
  const misspelt: MarbleScript = JSON.parse('{"marbles":"a|","value":{"a":"Hello"}}')
  for (const scripts of [misspelt, ['a|', misspelt]])
    t.like(
      t.throws(() => marbleGateway(scripts), { instanceOf: InvalidInput }),
      { path: 'value' },
    )
})

test('a function answers by the request', (t) => {
  const gateway = marbleGateway(({ model }, index) => (model === 'm' ? `${index}|` : '#'))
  t.true(play(gateway.chat(streamed)).includes('0 0'))
  t.deepEqual(play(gateway.chat({ ...streamed, model: 'n' })), ['0 Attempt', '0 NetworkError'])
})

test('records requests when they are subscribed, not when they are made', (t) => {
  const gateway = marbleGateway('a|')
  const reply$ = gateway.chat(streamed)
  t.deepEqual(gateway.requests, [])
  inVirtualTime(({ flush }) => {
    reply$.subscribe()
    gateway.chat(whole).subscribe()
    flush()
  })
  t.deepEqual(gateway.requests, [streamed, whole])
})

test('means the same when it is made inside a run', (t) =>
  marbles(
    () => undefined,
    (helpers) => {
      t.deepEqual(played(helpers, marbleGateway('--a').chat(streamed)), ['0 Attempt', '0 Headers', '2 a'])
    },
  ))

test('plays in real time outside a run', async (t) => {
  const event = await new Promise<GatewayEvent>((resolve) => {
    marbleGateway('5ms a|')
      .chat(whole)
      .subscribe((last) => {
        if (last._tag === 'Response') resolve(last)
      })
  })
  t.is(short(event), 'response a')
})

test('carries the name, kind and ids that it was given', (t) => {
  const gateway = marbleGateway('|', {}, undefined, {
    name: 'mine',
    kind: 'openai',
    requestId: 'r',
    logId: 'l',
  })
  t.is(gateway.name, 'mine')
  t.is(gateway.kind, 'openai')
  t.deepEqual(eventsOf(gateway.chat(streamed))[1], {
    _tag: 'Headers',
    status: 200,
    requestId: 'r',
    logId: 'l',
  })
})

for (const wrong of ['a^b', 'a!', 'a b', '', []]) {
  const marbles = typeof wrong === 'string' ? wrong : JSON.stringify(wrong)
  if (wrong === 'a b' || wrong === '') {
    test(`takes ${JSON.stringify(marbles)}`, (t) => {
      t.notThrows(() => marbleGateway(wrong))
    })
  } else {
    test(`refuses ${JSON.stringify(marbles)} when it is made`, (t) => {
      t.throws(() => marbleGateway(wrong), { instanceOf: InvalidInput })
    })
  }
}

test('what no request can be answered with is refused where it stands', async (t) => {
  // What a caller without types can give.
  const gatewayOf = (...given: ReadonlyArray<unknown>) =>
    marbleGateway(...anything<Parameters<typeof marbleGateway>>(given))
  const refused = (...given: ReadonlyArray<unknown>): string | undefined =>
    t.throws(() => gatewayOf(...given), { instanceOf: InvalidInput })?.path
  for (const wrong of [
    undefined,
    null,
    7,
    {},
    { marbles: 7 },
    [null],
    ['a|', undefined],
    Promise.resolve('a|'),
  ])
    t.is(refused(wrong), 'marbles')
  for (const wrong of [
    1,
    null,
    {},
    { text: 'hi' },
    { finish: 1 },
    { toolCall: 'f' },
    { usage: 3 },
    { choices: 3 },
  ])
    t.is(refused('a|', { a: wrong }), 'values.a')
  t.is(refused({ marbles: 'a|', values: { '-': { _tag: 'Chunks' } } }), 'values["-"]')
  t.is(refused('a|', {}, undefined, { finish_reason: 'length' }), 'finish_reason')
  t.is(refused('a|', {}, undefined, { kind: 'openai ' }), 'kind')
  for (const wrong of [undefined, { marbles: undefined }]) {
    const asked = lastValueFrom(gatewayOf(() => wrong).chat(streamed))
    t.like(await t.throwsAsync(asked), { _tag: 'InvalidInput', path: 'marbles' })
  }
})

// Laws of a streamed reply, from its bytes to what a pipeline emits. Those of single parts stand with them: codecs/,
// http/eventDecoder, tracing/foldSpans, tracing/transparency, tracing/endings, sinks/bufferedSink, sinks/sinkMonoid.

import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import {
  attempt,
  memorySink,
  type Reply,
  type ReplyEvent,
  type RespanError,
  respanGenerate,
  respanTrace,
  wholeReply,
} from 'respan-rx'
import { lastValueFrom, type OperatorFunction, of, toArray } from 'rxjs'

const encoder = new TextEncoder()

/** A choice as a model makes it, piece by piece. */
interface Script {
  readonly texts: ReadonlyArray<string>
  readonly reasoning: ReadonlyArray<string>
  readonly calls: ReadonlyArray<{ readonly name: string; readonly json: ReadonlyArray<string> }>
  readonly finish: string
}

const pieces = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 4 })

const script: fc.Arbitrary<Script> = fc.record({
  texts: pieces,
  reasoning: pieces,
  calls: fc.array(fc.record({ name: fc.string({ minLength: 1 }), json: pieces }), { maxLength: 2 }),
  finish: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter'),
})

/** One to three choices, the order in which they take turns, and the form of the stream. */
const stream = fc.record({
  scripts: fc.array(script, { minLength: 1, maxLength: 3 }),
  turns: fc.infiniteStream(fc.nat(2)).map((all) => all.take(200)),
  endings: fc.array(fc.constantFrom('\n', '\r', '\r\n'), { minLength: 1, maxLength: 4 }),
  comments: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  done: fc.boolean(),
})

type Stream = typeof stream extends fc.Arbitrary<infer A> ? A : never

const chunksOf = ({ texts, reasoning, calls, finish }: Script, index: number): ReadonlyArray<object> => {
  const delta = (fields: object, finish_reason: string | null = null) => ({
    model: 'm',
    choices: [{ index, delta: fields, finish_reason }],
  })
  return [
    delta({ role: 'assistant', content: '' }),
    ...reasoning.map((reasoning_content) => delta({ reasoning_content })),
    ...texts.map((content) => delta({ content })),
    ...calls.map(({ name }, call) =>
      delta({ tool_calls: [{ index: call, id: `${index}.${call}`, function: { name, arguments: '' } }] }),
    ),
    // The pieces of the calls interleave.
    ...[0, 1, 2, 3].flatMap((at) =>
      calls.flatMap(({ json }, call) =>
        json[at] === undefined
          ? []
          : [delta({ tool_calls: [{ index: call, function: { arguments: json[at] } }] })],
      ),
    ),
    delta({}, finish),
  ]
}

const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

/** All chunks, each choice's in their order. */
const interleaved = ({ scripts, turns }: Stream): ReadonlyArray<object> => {
  const waiting = scripts.map((one, index) => [...chunksOf(one, index)])
  const all: Array<object> = []
  for (const turn of turns) {
    const next = waiting[turn]?.shift()
    if (next !== undefined) all.push(next)
  }
  return [...all, ...waiting.flat(), { choices: [], usage: USAGE }]
}

const textOf = (events: ReadonlyArray<string>, { endings, comments }: Stream): string =>
  events
    .map((data, index) => {
      const end = endings[index % endings.length] ?? '\n'
      const comment = comments[index % comments.length] === true ? `: keep-alive${end}${end}` : ''
      return `${comment}data: ${data}${end}${end}`
    })
    .join('')

const bytesOf = (one: Stream): Uint8Array =>
  encoder.encode(
    textOf([...interleaved(one).map((chunk) => JSON.stringify(chunk)), ...(one.done ? ['[DONE]'] : [])], one),
  )

const filled = (all: ReadonlyArray<string>, key: string): object =>
  all.join('') === '' ? {} : { [key]: all.join('') }

/** The reply that a script means. */
const meant = ({ scripts }: Stream): Reply => ({
  replies: scripts.map(({ texts }) => texts.join('')),
  meta: scripts.map(({ finish }, index) => ({
    model: 'm',
    index,
    finish_reason: finish,
    ...(index === 0 ? { usage: USAGE } : {}),
  })),
  messages: scripts.map(({ texts, reasoning, calls }, index) => ({
    role: 'assistant',
    content: texts.join('') === '' && calls.length > 0 ? null : texts.join(''),
    ...filled(reasoning, 'reasoning_content'),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ name, json }, call) => ({
            id: `${index}.${call}`,
            type: 'function',
            function: { name, arguments: json.join('') },
          })),
        }),
  })),
})

const cutAt = (bytes: Uint8Array, positions: ReadonlyArray<number>): Array<Uint8Array> => {
  const at = [0, ...positions.map((position) => position % bytes.length).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.slice(at[index], end))
}

/** A server would join what was sent in pieces: here each piece arrives on its own. */
const generator = (bytes: Uint8Array, positions: ReadonlyArray<number>, n: number) =>
  respanGenerate({
    model: 'm',
    stream: true,
    params: { n },
    baseUrl: 'http://127.0.0.1:1',
    retry: { count: 0 },
    fetch: async () => {
      const waiting = cutAt(bytes, positions)
      const body = new ReadableStream({
        pull: (controller) => {
          const piece = waiting.shift()
          if (piece === undefined) controller.close()
          else controller.enqueue(piece)
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })

const eventsOf = (operator: OperatorFunction<string, ReplyEvent>): Promise<ReadonlyArray<ReplyEvent>> =>
  lastValueFrom(of('Hi').pipe(operator, toArray()))

const positions = fc.array(fc.nat(100_000), { maxLength: 20 })

/** Everything but the ids, which are new for each reply. */
const withoutIds = (events: ReadonlyArray<ReplyEvent>): ReadonlyArray<object> =>
  events.map(({ id: _, ...event }) => event)

testProp(
  'law: however a stream is split, framed and interleaved, the reply is the one that was meant',
  [stream, positions],
  async (t, one, at) => {
    const events = await eventsOf(generator(bytesOf(one), at, one.scripts.length))
    const last = events.at(-1)
    t.deepEqual<unknown, unknown>(last?._tag === 'ReplyFinished' ? last.reply : undefined, meant(one))
  },
)

testProp('law: the events of a reply add up to the reply', [stream, positions], async (t, one, at) => {
  const events = await eventsOf(generator(bytesOf(one), at, one.scripts.length))
  t.is(events[0]?._tag, 'ReplyStarted')
  t.is(events.filter(({ _tag }) => _tag === 'ReplyFinished').length, 1)
  t.is(new Set(events.map(({ id }) => id)).size, 1)
  for (const [choice, { texts, reasoning, calls }] of one.scripts.entries()) {
    const joined = (tag: ReplyEvent['_tag']): string =>
      events
        .map((event) => (event._tag === tag && 'text' in event && event.choice === choice ? event.text : ''))
        .join('')
    t.is(joined('TextDelta'), texts.join(''))
    t.is(joined('ReasoningDelta'), reasoning.join(''))
    for (const [call, { json }] of calls.entries())
      t.is(
        events
          .map((event) =>
            event._tag === 'ToolCallDelta' && event.choice === choice && event.call === call
              ? event.json
              : '',
          )
          .join(''),
        json.join(''),
      )
  }
})

testProp('law: a trace changes nothing about a stream', [stream, positions], async (t, one, at) => {
  const generate = generator(bytesOf(one), at, one.scripts.length)
  const sink = memorySink()
  const plain = await eventsOf(generate)
  const traced = await eventsOf((source) => source.pipe(generate, respanTrace('flow', { sink })))
  t.deepEqual(withoutIds(traced), withoutIds(plain))
  t.deepEqual(
    sink.spans().map(({ status }) => status),
    ['ok', 'ok'],
  )
})

/** A reply or an error. */
const outcomeOf = async (
  operator: OperatorFunction<string, ReplyEvent>,
): Promise<{ readonly reply?: Reply; readonly error?: RespanError }> => {
  const result = await lastValueFrom(
    of('Hi').pipe(attempt((prompt$) => prompt$.pipe(operator, wholeReply()))),
  )
  return result._tag === 'Right' ? { reply: result.right } : { error: result.left }
}

testProp(
  'law: a stream that is cut anywhere is interrupted, with a beginning of the reply; or it was complete',
  [stream, fc.nat(100_000), positions],
  async (t, one, cut, at) => {
    const bytes = bytesOf(one)
    const { reply, error } = await outcomeOf(
      generator(bytes.slice(0, 1 + (cut % bytes.length)), at, one.scripts.length),
    )
    const { replies, meta } = meant(one)
    if (reply !== undefined) {
      t.deepEqual(reply.replies, replies)
      t.deepEqual(
        reply.meta.map(({ finish_reason }) => finish_reason),
        meta.map(({ finish_reason }) => finish_reason),
      )
      return
    }
    t.is(error?._tag, 'StreamInterrupted')
    const partial = error !== undefined && 'partial' in error ? error.partial : undefined
    for (const [position, text] of (partial?.replies ?? []).entries()) {
      const choice = partial?.meta[position]?.index ?? -1
      t.true((replies[choice] ?? '').startsWith(text))
    }
  },
  { numRuns: 300 },
)

test('the generator of these laws makes what they are about', (t) => {
  const sample = fc.sample(stream, { numRuns: 300, seed: 1 })
  const some = (is: (one: Stream) => boolean) => t.true(sample.filter(is).length > 20)
  some(({ scripts }) => scripts.length > 1)
  some(({ scripts }) => scripts.some(({ calls }) => calls.length > 1))
  some(({ scripts }) => scripts.some(({ texts }) => texts.join('').length > 10))
  some(({ scripts }) => scripts.some(({ texts }) => /[^\0-\x7f]/.test(texts.join(''))))
  some(({ endings }) => endings.includes('\r'))
  some(({ done }) => !done)
})

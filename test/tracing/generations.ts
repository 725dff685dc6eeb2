// How a generation ends in a trace, over random streams, random cuts and random pipelines around it.

import { fc, testProp } from '@fast-check/ava'
import test from 'ava'
import {
  component,
  memorySink,
  type ReplyEvent,
  respanGenerate,
  respanTrace,
  type SpanStatus,
  traced,
  traceEach,
  type UsageSource,
} from 'respan-rx'
import { concatMap, type Observable, type OperatorFunction, of } from 'rxjs'
import { dishonesties } from '../helpers/traces.js'

/** How the answer ends, after as many words as were sent. */
const ENDINGS = [
  'complete',
  'truncated',
  'reset',
  'error event',
  'malformed',
  'never',
  'refused',
  'unreachable',
] as const

/** How the pipeline around the generator is nested, from the inside out. */
const FORMS = {
  component: (inner) => component('outer', (prompt: string) => of(prompt).pipe(inner)),
  'nested trace': (inner) => concatMap((prompt: string) => of(prompt).pipe(inner, respanTrace('nested'))),
  traceEach: (inner) => traceEach('each', {}, inner),
  traced: (inner) => traced('traced', inner),
} satisfies Readonly<Record<string, (inner: Op) => Op>>

type Op = OperatorFunction<string, ReplyEvent>

interface Run {
  readonly words: ReadonlyArray<string>
  readonly ending: (typeof ENDINGS)[number]
  /** Where the tokens are counted. */
  readonly usage: 'nowhere' | 'at the end' | 'everywhere'
  /** The finish reason comes with the last word, and not behind it. */
  readonly finishesOnLast: boolean
  /** Who ends the run before its stream does, and after how many words; 0 is before the answer. */
  readonly leave: { readonly by: 'consumer' | 'signal'; readonly after: number } | undefined
  readonly forms: ReadonlyArray<keyof typeof FORMS>
  readonly collect: boolean
  /** Several events may arrive at once. */
  readonly atOnce: number
}

const run: fc.Arbitrary<Run> = fc
  .record({
    words: fc.array(fc.constantFrom('Hello', ' ', 'é', '漢字', '"\\'), { maxLength: 5 }),
    ending: fc.constantFrom(...ENDINGS, 'complete', 'complete'),
    usage: fc.constantFrom('nowhere', 'at the end', 'everywhere'),
    finishesOnLast: fc.boolean(),
    leave: fc.option(fc.record({ by: fc.constantFrom('consumer', 'signal'), after: fc.nat(5) }), {
      nil: undefined,
    }),
    forms: fc.array(fc.constantFrom(...(Object.keys(FORMS) as ReadonlyArray<keyof typeof FORMS>)), {
      maxLength: 3,
    }),
    collect: fc.boolean(),
    atOnce: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ leave, ...one }) => ({
    ...one,
    leave:
      // What never ends has to be left.
      leave === undefined && one.ending !== 'never'
        ? undefined
        : { by: leave?.by ?? 'consumer', after: Math.min(leave?.after ?? 5, one.words.length) },
  }))

const hasAnswer = ({ ending }: Run): boolean => ending !== 'refused' && ending !== 'unreachable'

/** The words that come before the run is over, however that happens. */
const heard = (one: Run): ReadonlyArray<string> =>
  hasAnswer(one) ? one.words.slice(0, isLeft(one) ? one.leave?.after : undefined) : []

const isLeft = (one: Run): boolean => one.leave !== undefined && (one.leave.after === 0 || hasAnswer(one))

const ENDS: Readonly<Record<Run['ending'], SpanStatus>> = {
  complete: 'ok',
  truncated: 'truncated',
  reset: 'truncated',
  'error event': 'error',
  malformed: 'error',
  never: 'cancelled',
  refused: 'error',
  unreachable: 'error',
}

/** The finish reason was read: the work was done, and whoever leaves then interrupts nothing. */
const isSettled = ({ ending, words, finishesOnLast, leave }: Run): boolean =>
  ending === 'complete' && finishesOnLast && leave?.after === words.length && words.length > 0

const statusOf = (one: Run): SpanStatus => {
  if (!isLeft(one)) return ENDS[one.ending]
  return one.leave?.by === 'consumer' && isSettled(one) ? 'ok' : 'cancelled'
}

const sourceOf = (one: Run): UsageSource => {
  const words = heard(one).length
  if (one.usage === 'everywhere' && words > 0) return 'reported'
  if (one.usage !== 'nowhere' && one.ending === 'complete' && !isLeft(one)) return 'reported'
  return words > 0 ? 'estimated' : 'unknown'
}

const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

const eventsOf = ({ words, ending, usage, finishesOnLast }: Run): ReadonlyArray<string> => {
  const counted = usage === 'everywhere' ? { usage: USAGE } : {}
  const complete = ending === 'complete'
  const finished = complete && finishesOnLast && words.length > 0
  const chunks = [
    { choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] },
    ...words.map((content, index) => ({
      ...counted,
      choices: [
        {
          index: 0,
          delta: { content },
          finish_reason: finished && index === words.length - 1 ? 'stop' : null,
        },
      ],
    })),
    ...(complete && !finished
      ? [{ ...counted, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }]
      : []),
    ...(complete && usage === 'at the end' ? [{ choices: [], usage: USAGE }] : []),
  ]
  return [
    ...chunks.map((chunk) => JSON.stringify(chunk)),
    ...(complete ? ['[DONE]'] : []),
    ...(ending === 'error event' ? ['{"error":{"message":"Overloaded"}}'] : []),
    ...(ending === 'malformed' ? ['{"choices":'] : []),
  ].map((data) => `data: ${data}\n\n`)
}

const encoder = new TextEncoder()

const bodyOf = (one: Run): ReadableStream<Uint8Array> => {
  const waiting = [...eventsOf(one)]
  return new ReadableStream({
    pull: (controller) => {
      if (waiting.length > 0) controller.enqueue(encoder.encode(waiting.splice(0, one.atOnce).join('')))
      else if (one.ending === 'reset') controller.error(new TypeError('terminated'))
      else if (one.ending !== 'never') controller.close()
    },
  })
}

const played = async (one: Run) => {
  const sink = memorySink()
  const aborting = new AbortController()
  const words: Array<string> = []
  let breakOff: AbortSignal | null | undefined
  let leave = (): void => undefined
  const answer: typeof fetch = async (_, init) => {
    breakOff = init?.signal
    if (one.leave?.after === 0) {
      leave()
      return new Promise(() => undefined)
    }
    if (one.ending === 'unreachable') throw new TypeError('fetch failed')
    if (one.ending === 'refused') return Response.json({ detail: 'No' }, { status: 400 })
    return new Response(bodyOf(one), { headers: { 'content-type': 'text/event-stream' } })
  }
  const generate: Op = respanGenerate({
    model: 'm',
    name: 'chat',
    stream: true,
    collect: one.collect,
    baseUrl: 'http://127.0.0.1:1',
    signal: aborting.signal,
    retry: { count: 0 },
    fetch: answer,
  })
  const pipeline = one.forms.reduce<Op>((inner, form) => FORMS[form](inner), generate)
  const traced$: Observable<ReplyEvent> = of('Hi').pipe(pipeline, respanTrace('T', { sink }))
  await new Promise<void>((resolve) => {
    const subscription = traced$.subscribe({
      next: (event) => {
        if (event._tag !== 'TextDelta') return
        words.push(event.text)
        if (words.length === one.leave?.after) leave()
      },
      error: () => resolve(),
      complete: resolve,
    })
    leave = () => {
      if (one.leave?.by === 'signal') return aborting.abort()
      subscription.unsubscribe()
      resolve()
    }
  })
  return { sink, words, breakOff }
}

testProp(
  'law: every generation has exactly one honest end, however its stream ends and wherever it is left',
  [run],
  async (t, one) => {
    const { sink, words, breakOff } = await played(one)
    t.deepEqual(words, heard(one))
    t.deepEqual(dishonesties(sink.events), [])
    const spans = sink.spans()
    const [span, ...others] = spans.filter(({ type }) => type === 'generation')
    t.deepEqual(others, [])
    // What encloses it did nothing else: it ended the same way, and in the order of the enclosing.
    t.deepEqual(
      spans.map(({ status }) => status),
      spans.map(() => statusOf(one)),
    )
    t.is(spans.length, one.forms.length + 2)
    t.is(span?.name, 'chat')
    t.is(spans.at(-1)?.name, 'T')
    t.is(span?.error === undefined, statusOf(one) === 'ok' || (isLeft(one) && one.leave?.by === 'consumer'))
    const text = heard(one).join('')
    const content = span?.output === undefined ? '' : JSON.parse(span.output).content
    t.is(content, text)
    t.is(span?.generation?.usageSource, sourceOf(one))
    t.is(span?.generation?.usage === undefined, sourceOf(one) === 'unknown')
    t.is(spans.at(-1)?.totals?.estimated === true, sourceOf(one) === 'estimated')
    if (sourceOf(one) === 'reported') t.deepEqual(span?.generation?.usage, USAGE)
    if (isLeft(one)) t.true(breakOff?.aborted)
  },
  { numRuns: Number(process.env.GENERATIONS_RUNS ?? 500) },
)

test('the random generations have every kind of end', (t) => {
  const sample = fc.sample(run, { numRuns: 1_000, seed: 1 })
  const some = (is: (one: Run) => boolean) => t.true(sample.filter(is).length > 5)
  for (const ending of ENDINGS) some((one) => one.ending === ending && (ending === 'never') === isLeft(one))
  for (const by of ['consumer', 'signal']) some((one) => isLeft(one) && one.leave?.by === by)
  some((one) => isLeft(one) && statusOf(one) === 'ok')
  some((one) => isLeft(one) && one.leave?.after === 0)
  for (const source of ['reported', 'estimated', 'unknown']) some((one) => sourceOf(one) === source)
  some(({ forms }) => forms.length > 1)
})

import test from 'ava'
import { expectTypeOf } from 'expect-type'
import type { Either } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { OpenAI } from 'openai'
import {
  assistant,
  attempt,
  type ByModel,
  type ByPrompt,
  type ByTypedPrompt,
  buildPrompt,
  type ChatMessage,
  type Component,
  component,
  fromPrompts,
  fromPromptVersion,
  type Gateway,
  type GenerateInput,
  openaiGenerate,
  type PromptInput,
  type PromptVersion,
  type Reply,
  type ReplyEvent,
  type RespanError,
  respanGenerate,
  respanTrace,
  snapshots,
  system,
  tokens,
  toolResult,
  traceEach,
  user,
  wholeReply,
  withFallback,
} from 'respan-rx'
import { EMPTY, map, mergeMap, type Observable, of, Subject, scan, switchMap } from 'rxjs'

const model = 'gpt-4o-mini'
const promptId = 'p'

test('a pipeline infers from end to end without an annotation', (t) => {
  const reply$ = of({ topic: 'ai' }).pipe(
    buildPrompt('Tell me about {{ topic }}.'),
    respanGenerate({ model }),
    respanTrace('My Workflow', { output: ({ replies }) => replies[0] }),
  )
  expectTypeOf(reply$).toEqualTypeOf<Observable<Reply>>()

  const token$ = of('hi').pipe(respanGenerate({ model, stream: true, flatten: switchMap }), tokens())
  expectTypeOf(token$).toEqualTypeOf<Observable<string>>()
  expectTypeOf(of('hi').pipe(respanGenerate({ model, stream: true }), snapshots())).toEqualTypeOf<
    Observable<string>
  >()
  expectTypeOf(of('hi').pipe(respanGenerate({ model, stream: true }), wholeReply())).toEqualTypeOf<
    Observable<Reply>
  >()
  t.pass()
})

test('the input and the output follow from the options', (assert) => {
  expectTypeOf(respanGenerate({ model })).toEqualTypeOf<Component<GenerateInput, Reply>>()
  expectTypeOf(respanGenerate({ model, stream: true })).toEqualTypeOf<Component<GenerateInput, ReplyEvent>>()
  expectTypeOf(respanGenerate({ model, stream: Math.random() < 2 })).toEqualTypeOf<
    Component<GenerateInput, Reply | ReplyEvent>
  >()
  expectTypeOf(respanGenerate({ promptId })).toEqualTypeOf<Component<PromptInput, Reply>>()
  expectTypeOf(respanGenerate({ promptId, stream: true })).toEqualTypeOf<Component<PromptInput, ReplyEvent>>()
  const variables = t.type({ user_input: t.string })
  expectTypeOf(respanGenerate({ promptId, variables })).toEqualTypeOf<
    Component<{ user_input: string }, Reply>
  >()
  expectTypeOf(respanGenerate({ promptId, variables, stream: true })).toEqualTypeOf<
    Component<{ user_input: string }, ReplyEvent>
  >()
  // What the environment may not have.
  expectTypeOf(respanGenerate({ model, apiKey: process.env.RESPAN_API_KEY })).toEqualTypeOf<
    Component<GenerateInput, Reply>
  >()
  expectTypeOf<Reply['messages'][number]['role']>().toEqualTypeOf<'assistant'>()
  expectTypeOf(openaiGenerate({ model })).toEqualTypeOf<Component<GenerateInput, Reply>>()
  assert.pass()
})

test('whether it streams may be decided elsewhere', (assert) => {
  const variables = t.type({ user_input: t.string })
  const options: { readonly stream?: boolean } = {}
  expectTypeOf(respanGenerate({ model, ...options })).toEqualTypeOf<
    Component<GenerateInput, Reply | ReplyEvent>
  >()
  expectTypeOf(openaiGenerate({ model, ...options })).toEqualTypeOf<
    Component<GenerateInput, Reply | ReplyEvent>
  >()
  expectTypeOf(respanGenerate({ promptId, ...options })).toEqualTypeOf<
    Component<PromptInput, Reply | ReplyEvent>
  >()
  expectTypeOf(respanGenerate({ promptId, variables, ...options })).toEqualTypeOf<
    Component<{ user_input: string }, Reply | ReplyEvent>
  >()
  // @ts-expect-error -- only what streams need not be collected
  respanGenerate({ model, collect: false })
  assert.pass()
})

test('a gateway and a connection may be left open, but not both be given', (assert) => {
  const generator = (gateway?: Gateway, timeout?: number) => [
    respanGenerate({ model, gateway }),
    respanGenerate({ promptId, gateway, apiKey: undefined }),
    respanGenerate({ model, timeout, gateway: undefined }),
    // @ts-expect-error -- there may be both
    respanGenerate({ model, timeout, gateway }),
  ]
  assert.is(generator().length, 4)
})

test('a model may be left to whom the attributes name', (assert) => {
  const attributes = { load_balance_group: { group_id: 'g' }, cache_enabled: true }
  expectTypeOf(of('hi').pipe(respanGenerate({ attributes }))).toEqualTypeOf<Observable<Reply>>()
  expectTypeOf(
    of('hi').pipe(respanGenerate({ stream: true, attributes: () => ({ models: ['a', 'b'] }) })),
  ).toEqualTypeOf<Observable<ReplyEvent>>()
  assert.pass()
})

test('a generator of either form takes what both take', (assert) => {
  const generator = (options: ByModel | ByPrompt) => respanGenerate(options)
  expectTypeOf(
    of([user('hi')]).pipe(
      map((messages) => ({ messages })),
      generator({ model }),
    ),
  ).toEqualTypeOf<Observable<Reply | ReplyEvent>>()
  // @ts-expect-error -- a generator with a model takes no variables
  of({ variables: { user_input: 'tea' } }).pipe(generator({ promptId }))
  const typed = (options: ByModel | ByTypedPrompt<{ a: string }>) => respanGenerate(options)
  // @ts-expect-error -- the variables are missing
  of({ prompt: 'hi' }).pipe(typed({ model }))
  expectTypeOf(of({ prompt: 'hi', a: 'a' }).pipe(typed({ model }))).toEqualTypeOf<
    Observable<Reply | ReplyEvent>
  >()
  assert.pass()
})

test('a compiler points at the option that is wrong, whatever the form', (assert) => {
  const variables = t.type({ user_input: t.string })
  const wrongs: ReadonlyArray<() => unknown> = [
    () =>
      respanGenerate({
        promptId,
        // @ts-expect-error -- misspelt
        steam: true,
      }),
    () =>
      respanGenerate({
        promptId,
        variables,
        // @ts-expect-error -- misspelt
        steam: true,
      }),
    () =>
      respanGenerate({
        promptId,
        prompt: {
          // @ts-expect-error -- no version
          version: true,
        },
      }),
    () =>
      respanGenerate({
        promptId,
        variables,
        attributes: {
          // @ts-expect-error -- of the wrong type
          customer_identifier: false,
        },
      }),
    () =>
      respanGenerate({
        promptId,
        variables: {
          // @ts-expect-error -- a value instead of a codec
          user_input: 'tea',
        },
      }),
  ]
  for (const wrong of wrongs) assert.throws(wrong, { name: 'InvalidInput' })
})

test('a template of either form gives prompts of either form', (assert) => {
  const template = Math.random() < 2 ? 'On {{ topic }}' : [user('On {{ topic }}')]
  expectTypeOf(of({ topic: 'tea' }).pipe(buildPrompt(template), respanGenerate({ model }))).toEqualTypeOf<
    Observable<Reply>
  >()
  expectTypeOf(of({ topic: 'tea' }).pipe(buildPrompt(template))).toEqualTypeOf<
    Observable<string | ReadonlyArray<ChatMessage>>
  >()
  assert.pass()
})

test('a history that begins with one message takes those of every role', (assert) => {
  const history$ = of('hi').pipe(
    respanGenerate({ model }),
    scan((history, { messages }) => [...history, ...messages], [user('hi')]),
  )
  expectTypeOf(history$).toEqualTypeOf<Observable<Array<ChatMessage>>>()
  expectTypeOf([system('Be brief.')]).toEqualTypeOf<Array<ChatMessage>>()
  expectTypeOf([toolResult('call', 'Sunny.')]).toEqualTypeOf<Array<ChatMessage>>()
  expectTypeOf([assistant('hi')]).toExtend<Reply['messages']>()
  assert.pass()
})

test('a prompt that is listed is loaded by its id', (assert) => {
  const version$ = fromPrompts().pipe(mergeMap(({ id }) => fromPromptVersion(id)))
  expectTypeOf(version$).toEqualTypeOf<Observable<PromptVersion>>()
  assert.pass()
})

test('combinators keep the types of what they combine', (assert) => {
  expectTypeOf(attempt(respanGenerate({ model }))).toEqualTypeOf<
    Component<GenerateInput, Either<RespanError, Reply>>
  >()
  expectTypeOf(attempt(respanGenerate({ model }), { toError: String })).toEqualTypeOf<
    Component<GenerateInput, Either<string, Reply>>
  >()
  const options = { flatten: mergeMap, toError: (error: unknown) => String(error) }
  expectTypeOf(attempt(respanGenerate({ model }), options)).toEqualTypeOf<
    Component<GenerateInput, Either<string, Reply>>
  >()
  expectTypeOf(withFallback(respanGenerate({ model }), openaiGenerate({ model }))).toEqualTypeOf<
    Component<GenerateInput, Reply>
  >()
  const retrieve = component('retriever', async (question: string) => ({ question, documents: ['d'] }))
  expectTypeOf(retrieve).toEqualTypeOf<Component<string, { question: string; documents: Array<string> }>>()
  const answer$ = of('why?').pipe(
    traceEach(
      'answer',
      { flatten: mergeMap, attributes: (question) => ({ metadata: { question } }) },
      retrieve,
      buildPrompt('{{ question }} {{ documents }}'),
      respanGenerate({ model }),
    ),
  )
  expectTypeOf(answer$).toEqualTypeOf<Observable<Reply>>()
  expectTypeOf(of([user('hi')]).pipe(respanGenerate({ model }))).toEqualTypeOf<Observable<Reply>>()
  assert.pass()
})

test('a codec of any kind gives its type to the input: one that converts, a brand, one that is not known', (assert) => {
  const Count = new t.Type<number, string>(
    'Count',
    t.number.is,
    (value, context) => (typeof value === 'string' ? t.success(Number(value)) : t.failure(value, context)),
    String,
  )
  const variables = t.type({ count: Count })
  const unknown: t.Mixed = variables
  const id = t.type({ id: t.Int })
  expectTypeOf(respanGenerate({ promptId, variables })).toEqualTypeOf<Component<{ count: number }, Reply>>()
  expectTypeOf(respanGenerate({ promptId, variables: id })).toEqualTypeOf<Component<{ id: t.Int }, Reply>>()
  expectTypeOf(respanGenerate({ promptId, variables: unknown }))
    .parameter(0)
    .not.toBeNever()
  expectTypeOf(buildPrompt('{{ count }}', { variables })).toEqualTypeOf<
    Component<{ count: number }, string>
  >()
  assert.pass()
})

test('a component emits what its function gives, however it gives it', (assert) => {
  type Of<B> = Component<number, B>
  expectTypeOf(component('c', async (n: number) => ({ n }))).toEqualTypeOf<Of<{ n: number }>>()
  expectTypeOf(component('c', (n: number) => [n, 'a'] as const)).toEqualTypeOf<Of<number | 'a'>>()
  expectTypeOf(
    component('c', async function* (n: number) {
      yield { n }
    }),
  ).toEqualTypeOf<Of<{ n: number }>>()
  expectTypeOf(component('c', (_: number) => EMPTY)).toEqualTypeOf<Of<never>>()
  expectTypeOf(component('c', (_: number) => new Subject<(text: string) => Date>())).toEqualTypeOf<
    Of<(text: string) => Date>
  >()
  expectTypeOf(component('c', (n: number) => (n > 1 ? of(n) : Promise.resolve('a')))).toEqualTypeOf<
    Of<number | string>
  >()
  const same = <T extends object>(value: T) => of(value).pipe(component('c', (one: T) => of(one)))
  expectTypeOf(same({ a: 1 })).toEqualTypeOf<Observable<{ a: number }>>()
  assert.pass()
})

test("tools and forms of an answer that are typed by OpenAI's client are taken as they are", (assert) => {
  const weather: OpenAI.ChatCompletionFunctionTool = {
    type: 'function',
    function: { name: 'weather', strict: null },
  }
  const place: OpenAI.ResponseFormatJSONSchema = {
    type: 'json_schema',
    json_schema: { name: 'place', schema: { type: 'object' }, strict: null },
  }
  assert.notThrows(() => respanGenerate({ model, params: { tools: [weather], response_format: place } }))
})

test('a wrong use does not compile, and is an InvalidInput where it is built', (assert) => {
  const wrongs: ReadonlyArray<() => unknown> = [
    // @ts-expect-error -- neither a model nor a promptId
    () => respanGenerate({}),
    // @ts-expect-error -- nothing here picks a model
    () => respanGenerate({ attributes: { fallback_models: ['a'] } }),
    // @ts-expect-error -- both a gateway and a connection
    () => respanGenerate({ model, apiKey: 'k', gateway: { name: 'g', kind: 'respan', chat: () => of() } }),
    // @ts-expect-error -- variables without a promptId
    () => respanGenerate({ model, variables: t.type({ a: t.string }) }),
    // @ts-expect-error -- settings of a prompt without a promptId
    () => respanGenerate({ model, prompt: { version: 3 } }),
    // @ts-expect-error -- a wire name with a value of the wrong type
    () => respanGenerate({ model, attributes: { fallback_models: 'claude' } }),
    // @ts-expect-error -- a parameter of the wrong type
    () => respanGenerate({ model, params: { temperature: 'hot' } }),
  ]
  for (const wrong of wrongs) assert.throws(wrong, { name: 'InvalidInput' })
  // @ts-expect-error -- Respan attributes mean nothing to OpenAI
  assert.notThrows(() => openaiGenerate({ model, attributes: { customer_identifier: 'c' } }))
  // @ts-expect-error -- a string is an observable of its characters
  assert.notThrows(() => component('shout', (text: string) => text.toUpperCase()))
  const typed = respanGenerate({ promptId, variables: t.type({ user_input: t.string }) })
  // @ts-expect-error -- the variables of the codec are the input
  assert.notThrows(() => of({ wrong: 1 }).pipe(typed))
})

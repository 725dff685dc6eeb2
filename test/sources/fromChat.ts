import test from 'ava'
import { type ChatRequest, fromChat, StreamInterrupted, user } from 'respan-rx'
import { marbleGateway, marbles } from 'respan-rx/testing'
import { lastValueFrom, map, toArray } from 'rxjs'

const request = (stream: boolean): ChatRequest => ({
  model: 'm',
  messages: [user('hi')],
  ...(stream ? { stream } : {}),
})

const tags = map(({ _tag }: { readonly _tag: string }) => _tag)

test('emits the events of a streamed reply, the finished one last', (t) =>
  marbles(t.deepEqual, ({ expectObservable }) => {
    expectObservable(fromChat(marbleGateway('--a-----b-|'), request(true)).pipe(tags)).toBe(
      '--(sd)--d-(f|)',
      {
        s: 'ReplyStarted',
        d: 'TextDelta',
        f: 'ReplyFinished',
      },
    )
  }))

test('emits the finished reply alone when it does not stream', (t) =>
  marbles(t.deepEqual, ({ expectObservable }) => {
    expectObservable(fromChat(marbleGateway('--a-b-|'), request(false)).pipe(tags)).toBe('------(f|)', {
      f: 'ReplyFinished',
    })
  }))

test('sends at subscription, anew for each, and stops when it is left', (t) =>
  marbles(t.deepEqual, ({ expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('---a---b---|')
    const event$ = fromChat(gateway, request(true)).pipe(tags)
    t.is(gateway.requests.length, 0)
    expectObservable(event$, '^-!').toBe('--')
    expectObservable(event$, '-^--!').toBe('----')
    expectSubscriptions(gateway.subscriptions).toBe(['^-!', '-^--!'])
  }))

test('fails with what had arrived when the stream ends before its finish reason', async (t) => {
  const gateway = marbleGateway('a-b-|', {}, undefined, { finishReason: null })
  const error = await t.throwsAsync<StreamInterrupted>(lastValueFrom(fromChat(gateway, request(true))))
  t.true(error instanceof StreamInterrupted)
  t.deepEqual(error?.partial?.replies, ['ab'])
})

test('refuses a request that is none before it is sent', async (t) => {
  const gateway = marbleGateway('a|')
  const event$ = fromChat(gateway, { ...request(true), temperature: 3 })
  t.like(await t.throwsAsync(lastValueFrom(event$)), { _tag: 'InvalidInput', path: 'temperature' })
  t.is(gateway.requests.length, 0)
})

test('keeps no text with collect: false', async (t) => {
  const events = await lastValueFrom(
    fromChat(marbleGateway('(ab|)'), request(true), { collect: false }).pipe(toArray()),
  )
  const last = events.at(-1)
  t.deepEqual(last?._tag === 'ReplyFinished' ? last.reply.replies : undefined, [''])
})

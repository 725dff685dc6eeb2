import test from 'ava'
import {
  attempt,
  component,
  NetworkError,
  RateLimited,
  respanGenerate,
  respanTrace,
  tokens,
  withFallback,
} from 'respan-rx'
import { marbleGateway, marbles, memorySink } from 'respan-rx/testing'
import {
  catchError,
  concat,
  concatMap,
  defer,
  lastValueFrom,
  map,
  mergeMap,
  type OperatorFunction,
  of,
  pipe,
  retry,
  switchMap,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs'

const model = 'm'
const tags = map((either: { _tag: string }) => either._tag)

test('turns the failure of an item into a left and goes on with the next', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = marbleGateway(['-a|', '-#', '-b|'])
    const either$ = cold('p---q---r|', { p: '1', q: '2', r: '3' }).pipe(
      attempt(respanGenerate({ model, gateway })),
      tags,
    )
    expectObservable(either$).toBe('--R--L----(R|)', { R: 'Right', L: 'Left' })
  }))

test('with streaming gives rights, then at most one left per item', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const gateway = marbleGateway(['-a------#', '-b------|'])
    const generate = attempt(respanGenerate({ model, stream: true, gateway }))
    const either$ = cold('p---------q|', { p: '1', q: '2' }).pipe(
      generate,
      map((either) => (either._tag === 'Left' ? either.left._tag : either.right._tag)),
    )
    expectObservable(either$).toBe('-(sd)---e--(sd)---(f|)', {
      s: 'ReplyStarted',
      d: 'TextDelta',
      e: 'NetworkError',
      f: 'ReplyFinished',
    })
  }))

test('keeps the flattening of a component', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('---a|')
    const generate = attempt(respanGenerate({ model, gateway, flatten: switchMap }))
    expectObservable(cold('p-q|', { p: '1', q: '2' }).pipe(generate, tags)).toBe('------(R|)', { R: 'Right' })
    expectSubscriptions(gateway.subscriptions).toBe(['^-!', '--^---!'])
  }))

test('gives a component the flattening that it is told', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const gateway = marbleGateway('---a|')
    const generate = attempt(respanGenerate({ model, gateway }), { flatten: switchMap })
    expectObservable(cold('p-q|', { p: '1', q: '2' }).pipe(generate, tags)).toBe('------(R|)', { R: 'Right' })
    expectSubscriptions(gateway.subscriptions).toBe(['^-!', '--^---!'])
  }))

test('runs any other operator anew for each item, flattened as it is told', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const slow = pipe(
      concatMap((value: string) => timer(3).pipe(map(() => value))),
      map((value) => {
        if (value === 'q') throw new RateLimited('slow down', {})
        return value
      }),
    )
    expectObservable(cold('(pq|)').pipe(attempt(slow), tags)).toBe('---R--(L|)', { R: 'Right', L: 'Left' })
    expectObservable(cold('(pq|)').pipe(attempt(slow, { flatten: mergeMap }), tags)).toBe('---(RL|)', {
      R: 'Right',
      L: 'Left',
    })
  }))

test('the trace tells the error of a left', async (t) => {
  const sink = memorySink()
  const fail = component('fail', (_: string) => throwError(() => new NetworkError('gone')))
  await lastValueFrom(of('a').pipe(attempt(fail), respanTrace('T', { sink })))
  t.deepEqual(JSON.parse(sink.spans().at(-1)?.output ?? ''), {
    _tag: 'Left',
    left: { name: 'NetworkError', message: 'gone' },
  })
})

test('leaves foreign errors and errors of the source on the error channel', async (t) => {
  const foreign = new TypeError('defect')
  const fail = component('fail', (_: string) => throwError(() => foreign))
  t.is(await t.throwsAsync(lastValueFrom(of('a').pipe(attempt(fail)))), foreign)
  const source = new NetworkError('of the source')
  const fine = component('fine', (value: string) => of(value))
  const fails$ = throwError(() => source)
  t.is(await t.throwsAsync(lastValueFrom(fails$.pipe(attempt(fine)))), source)
})

test('toError maps an error of the source, too, which ends what is under way', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable, expectSubscriptions }) => {
    const inner = cold('---a|')
    const work = component('work', (_: string) => inner)
    const either$ = cold('p----q-#', undefined, new TypeError('source')).pipe(
      attempt(work, { toError: String, flatten: mergeMap }),
      map((either) => (either._tag === 'Left' ? either.left : either.right)),
    )
    expectObservable(either$).toBe('---a---(e|)', { a: 'a', e: 'TypeError: source' })
    expectSubscriptions(inner.subscriptions).toBe(['^---!', '-----^-!'])
  }))

test("a flattening of one's own sees an error of the source as it is", async (t) => {
  const seen: Array<unknown> = []
  const source = new TypeError('source')
  const work = component('work', (value: string) => of(value), {
    flatten: (project) => pipe(mergeMap(project), tap({ error: (error) => seen.push(error) })),
  })
  const failing$ = concat(
    of('a'),
    throwError(() => source),
  )
  const either$ = failing$.pipe(attempt(work, { toError: String }), tags, toArray())
  t.deepEqual(await lastValueFrom(either$), ['Right', 'Left'])
  t.deepEqual(seen, [source])
})

test('toError maps what became of an error of the source, and one that equals nothing', async (t) => {
  const translated = component('work', (value: string) => of(value), {
    flatten: (project) =>
      pipe(
        mergeMap(project),
        catchError((error) => throwError(() => new RangeError(String(error)))),
      ),
  })
  const fine = component('fine', (value: string) => of(value))
  const lefts = (error: unknown, operator: OperatorFunction<string, string>): Promise<unknown> =>
    lastValueFrom(throwError(() => error).pipe(attempt(operator, { toError: String })))
  t.deepEqual(await lefts('source', translated), { _tag: 'Left', left: 'RangeError: source' })
  t.deepEqual(await lefts(Number.NaN, fine), { _tag: 'Left', left: 'NaN' })
})

test('what toError throws stays on the error channel, whatever an earlier source failed with', async (t) => {
  const work = component('work', (value: string) => throwError(() => value), {
    flatten: (project) => (source$) => source$.pipe(retry(1), mergeMap(project)),
  })
  const asked: Array<unknown> = []
  const toError = (error: unknown): never => {
    asked.push(error)
    throw new RangeError('of toError')
  }
  let subscribed = 0
  const source$ = defer(() => (subscribed++ === 0 ? throwError(() => 'source') : of('item')))
  t.is((await t.throwsAsync(lastValueFrom(source$.pipe(attempt(work, { toError }))))).message, 'of toError')
  t.is(subscribed, 2)
  t.deepEqual(asked, ['item'])
})

test('what toError throws is on the error channel, and is not asked about again', async (t) => {
  const asked: Array<unknown> = []
  const toError = (error: unknown): string => {
    asked.push(error)
    throw new RangeError('of toError')
  }
  const fail = component('fail', (_: string) => throwError(() => 'of the item'))
  const fails$ = throwError(() => 'of the source')
  for (const source$ of [of('a'), fails$])
    t.is((await t.throwsAsync(lastValueFrom(source$.pipe(attempt(fail, { toError }))))).message, 'of toError')
  t.deepEqual(asked, ['of the item', 'of the source'])
})

test('an attempt with toError leaves the trace as it is', async (t) => {
  const first = component('first', (value: string) => of(value))
  const second = component('second', async (value: string) => value)
  const spans = async (last: OperatorFunction<string, unknown>): Promise<unknown> => {
    const sink = memorySink()
    await lastValueFrom(of('a').pipe(first, last, respanTrace('T', { sink })))
    return sink.spans().map(({ name, path, status, output }) => [name, path, status, output])
  }
  t.deepEqual(await spans(attempt(second, { toError: String })), await spans(attempt(second)))
})

test('toError maps every error, foreign ones too', async (t) => {
  const fail = component('fail', (value: string) => throwError(() => new TypeError(value)))
  const lefts = await lastValueFrom(
    of('a', 'b').pipe(attempt(fail, { toError: (error) => String(error) }), toArray()),
  )
  t.deepEqual(lefts, [
    { _tag: 'Left', left: 'TypeError: a' },
    { _tag: 'Left', left: 'TypeError: b' },
  ])
})

test('what can not be looked at is a value, or an error, of somebody else', async (t) => {
  const hostile = Object.defineProperty({}, '_tag', {
    get: () => {
      throw new Error('looked at')
    },
  })
  const values = component('values', () => [hostile])
  const fails = component('fails', () => throwError(() => hostile))
  t.is(await lastValueFrom(of(1).pipe(withFallback(values, values))), hostile)
  for (const operator of [attempt(fails), withFallback(fails, values)]) {
    const outcome = await lastValueFrom(of(1).pipe(operator)).catch((error: unknown) => ({ error }))
    t.deepEqual(Object.keys(outcome), ['error'])
    t.true('error' in outcome && outcome.error === hostile)
  }
})

test('a fallback serves an item whose first try fails before any output', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const first = respanGenerate({ model, stream: true, gateway: marbleGateway('--#') })
    const second = respanGenerate({ model, stream: true, gateway: marbleGateway('--a-b|') })
    expectObservable(cold('p|', { p: 'hi' }).pipe(withFallback(first, second), tokens())).toBe('----a-b|')
  }))

test('after the first token the error stays', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const error = new NetworkError('gone')
    const first = respanGenerate({ model, stream: true, gateway: marbleGateway('-a-#', {}, error) })
    const second = respanGenerate({ model, stream: true, gateway: marbleGateway('-b|') })
    expectObservable(cold('p|', { p: 'hi' }).pipe(withFallback(first, second), tokens())).toBe(
      '-a-#',
      undefined,
      error,
    )
  }))

test('a fallback serves a reply that was announced and no more', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const first = respanGenerate({
      model,
      stream: true,
      gateway: marbleGateway({ marbles: '-r-#', values: { r: '' } }),
    })
    const second = respanGenerate({ model, stream: true, gateway: marbleGateway('-b---|') })
    const tags$ = cold('p|', { p: 'hi' }).pipe(
      withFallback(first, second),
      map(({ _tag }) => _tag),
    )
    expectObservable(tags$).toBe('-s--(sd)(f|)', {
      s: 'ReplyStarted',
      d: 'TextDelta',
      f: 'ReplyFinished',
    })
  }))

test('after a value of any kind the error stays', (t) =>
  marbles(t.deepEqual, ({ cold, expectObservable }) => {
    const error = new NetworkError('gone')
    const first = component('first', () => cold('-a-#', undefined, error))
    expectObservable(
      cold('p|').pipe(
        withFallback(
          first,
          component('second', () => of('b')),
        ),
      ),
    ).toBe('-a-#', undefined, error)
  }))

test('a fallback is not for what was aborted, nor for what can not be sent', async (t) => {
  const second = component('second', () => of('served'))
  const signal = AbortSignal.abort()
  const aborted = respanGenerate({ model, signal, baseUrl: 'http://127.0.0.1:9' })
  await t.throwsAsync(lastValueFrom(of('hi').pipe(withFallback<string, unknown>(aborted, second))), {
    name: 'Aborted',
  })
  const wrong = respanGenerate({ model, params: () => ({ temperature: -1 }), gateway: marbleGateway('a|') })
  await t.throwsAsync(lastValueFrom(of('hi').pipe(withFallback<string, unknown>(wrong, second))), {
    name: 'InvalidInput',
  })
})

test('a fallback is for the failures that its predicate names', async (t) => {
  const first = respanGenerate({ model, gateway: marbleGateway('#', {}, new NetworkError('down')) })
  const second = respanGenerate({ model, gateway: marbleGateway('b|') })
  const when = ({ _tag }: { _tag: string }) => _tag === 'RateLimited'
  await t.throwsAsync(lastValueFrom(of('hi').pipe(withFallback(first, second, { when }))), {
    message: 'down',
  })
  const reply = await lastValueFrom(of('hi').pipe(withFallback(first, second)))
  t.deepEqual(reply.replies, ['b'])
})

test('a fallback is there for each try of a flattening that tries again', async (t) => {
  const first = component('first', () => throwError(() => new NetworkError('down')), {
    flatten: (project) => mergeMap((value, index) => project(value, index).pipe(retry(1))),
  })
  const tries: Array<string> = []
  const second = component('second', (value: string) => {
    tries.push(value)
    return tries.length < 2
      ? concat(
          of('partly'),
          throwError(() => new NetworkError('down too')),
        )
      : of('served')
  })
  t.deepEqual(await lastValueFrom(of('a').pipe(withFallback(first, second), toArray())), ['partly', 'served'])
})

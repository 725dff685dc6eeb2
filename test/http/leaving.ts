import test from 'ava'
import { InvalidResponse, openaiGateway, respanGenerate } from 'respan-rx'
import { forkJoin, lastValueFrom, of, Subject, take, takeUntil, throwError, toArray } from 'rxjs'

const CONNECTION = { apiKey: 'test-key', baseUrl: 'http://127.0.0.1:1', retry: { count: 0 } }

const ASK = { model: 'm', messages: [{ role: 'user', content: 'Hello' }], stream: true } as const

/** An answer that never ends, of a fetch that knows nothing of signals. */
const endless = (type: string) => {
  let cancels = 0
  const fetch = () => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(': and on\n\n')),
      cancel: () => {
        cancels++
      },
    })
    return Promise.resolve(new Response(body, { headers: { 'content-type': type } }))
  }
  return { fetch, cancels: () => cancels }
}

test('sends nothing when it is left while the client of the first request is being loaded', async (t) => {
  let calls = 0
  const fetch = () => {
    calls++
    return Promise.reject(new Error('A request was made.'))
  }
  openaiGateway({ ...CONNECTION, fetch })
    .chat(ASK)
    .subscribe()
    .unsubscribe()
  await import('ky')
  await new Promise((resolve) => setImmediate(resolve))
  t.is(calls, 0)
})

test('sends nothing for whoever has left before the request would go out', async (t) => {
  let calls = 0
  const fetch = () => {
    calls++
    return Promise.resolve(Response.json({ choices: [{ message: { role: 'assistant', content: 'Hi' } }] }))
  }
  const { chat } = openaiGateway({ ...CONNECTION, fetch })
  await lastValueFrom(chat(ASK))
  t.is(calls, 1)
  t.like(await lastValueFrom(chat(ASK).pipe(take(1))), { _tag: 'Attempt' })
  await t.throwsAsync(lastValueFrom(forkJoin([throwError(() => new Error('The other one.')), chat(ASK)])))
  t.is(calls, 1)
})

test('aborts what its fetch has not answered yet, also when that makes it leave', async (t) => {
  const leaving = new Subject<void>()
  let signal: AbortSignal | null | undefined
  const reply = of('Hello').pipe(
    respanGenerate({
      ...CONNECTION,
      model: 'm',
      fetch: (_, init) => {
        signal = init?.signal
        leaving.next()
        return new Promise(() => undefined)
      },
    }),
    takeUntil(leaving),
    toArray(),
  )
  t.deepEqual(await lastValueFrom(reply), [])
  t.true(signal?.aborted)
})

test('breaks off a body of the wrong type', async (t) => {
  const { fetch, cancels } = endless('text/html')
  const events = openaiGateway({ ...CONNECTION, fetch }).chat(ASK)
  await t.throwsAsync(lastValueFrom(events), { instanceOf: InvalidResponse })
  t.is(cancels(), 1)
})

test('breaks off a body that nobody has begun to read', async (t) => {
  const { fetch, cancels } = endless('text/event-stream')
  const events = openaiGateway({ ...CONNECTION, fetch })
    .chat(ASK)
    .pipe(take(2), toArray())
  t.deepEqual(
    (await lastValueFrom(events)).map(({ _tag }) => _tag),
    ['Attempt', 'Headers'],
  )
  await new Promise((resolve) => setImmediate(resolve))
  t.is(cancels(), 1)
})

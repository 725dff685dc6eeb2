// Subscribes and unsubscribes at random moments, and reports what is left.
// node churn.js <base URL> <seed> <subscriptions>

import { getEventListeners, once } from 'node:events'
import { bufferedSink, respanGenerate, respanTrace, respanTransport } from 'respan-rx'
import { finalize, type Observable, of, Subscription } from 'rxjs'

/** What is left after all subscriptions have ended. */
export interface Leftovers {
  /** What keeps the process alive, besides what did before. */
  readonly resources: ReadonlyArray<string>
  readonly listeners: number
  readonly rejections: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  /** How the subscriptions ended. */
  readonly ends: Readonly<Record<string, number>>
  /** Of the sink, after it was closed. */
  readonly stats: ReturnType<ReturnType<typeof bufferedSink>['stats']>
}

const [, , baseUrl = '', seed = '1', total = '0'] = process.argv

/** Mulberry32. */
const randomOf = (start: number): (() => number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = randomOf(Number(seed))
const below = (bound: number): number => Math.floor(random() * bound)

const rejections: Array<string> = []
const warnings: Array<string> = []
process.on('unhandledRejection', (reason) => rejections.push(String(reason)))
process.on('warning', (warning) => warnings.push(String(warning)))

const { signal } = new AbortController()
const sink = bufferedSink(respanTransport({ baseUrl }), {
  maxDelay: 100,
  maxQueueSize: 1_000_000,
  onWarning: ({ message }) => warnings.push(message),
})

const pipelines = [false, true].flatMap((stream) => {
  const generate = respanGenerate({
    model: 'm',
    stream,
    baseUrl,
    signal,
    timeout: 600_000,
    idleTimeout: 600_000,
    retry: { delay: 2, deadline: 600_000 },
  })
  return [
    (prompt: string): Observable<unknown> => of(prompt).pipe(generate),
    (prompt: string): Observable<unknown> => of(prompt).pipe(generate, respanTrace('churn', { sink })),
  ]
})

const ends: Record<string, number> = {}

const subscribe = (number: number): Promise<void> =>
  new Promise((resolve) => {
    // The server does something else for each rest; where it never ends, the reader must leave.
    const endless = number % 9 === 0
    const moment = below(endless ? 3 : 5)
    const turns = below(25)
    let seen = 0
    let end = 'left'
    const subscription = new Subscription()
    const leave = (): void => subscription.unsubscribe()
    const pipeline = pipelines[below(pipelines.length)]
    if (pipeline === undefined) return resolve()
    subscription.add(
      pipeline(`case ${number}`)
        .pipe(
          finalize(() => {
            ends[end] = (ends[end] ?? 0) + 1
            resolve()
          }),
        )
        .subscribe({
          next: () => {
            seen += 1
            if (moment === 3 && seen > turns / 5) leave()
          },
          error: () => {
            end = 'failed'
          },
          complete: () => {
            end = 'completed'
          },
        }),
    )
    const later = (turn: (next: () => void) => void, left: number): void =>
      left === 0 ? leave() : turn(() => later(turn, left - 1))
    if (moment === 0) leave()
    if (moment === 1) later(queueMicrotask, turns * 4)
    if (moment === 2) later(setImmediate, turns)
  })

// What belongs to the process itself is there before and after: its channel to the test, its outputs, its first request.
process.on('message', () => undefined)
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)
await fetch(baseUrl, { method: 'POST', body: 'case 6' }).then((response) => response.text())
const before = process.getActiveResourcesInfo()

let number = 0
const lane = async (): Promise<void> => {
  while (number < Number(total)) {
    number += 1
    await subscribe(number)
  }
}
await Promise.all(Array.from({ length: 64 }, lane))
await sink.close()

process.send?.('over')
await once(process, 'message')
// Sockets that were closed by the other side are still being taken down; one that is kept ends the test by its time.
const sockets = (resources: ReadonlyArray<string>): number =>
  resources.filter((one) => one === 'TCPSocketWrap').length
for (let turn = 0; turn < 10 || sockets(process.getActiveResourcesInfo()) > sockets(before); turn += 1)
  await new Promise(setImmediate)

const resources = [...process.getActiveResourcesInfo()]
for (const one of before) {
  const at = resources.indexOf(one)
  if (at >= 0) resources.splice(at, 1)
}
const leftovers: Leftovers = {
  resources,
  listeners: getEventListeners(signal, 'abort').length,
  rejections,
  warnings,
  ends,
  stats: sink.stats(),
}
process.send?.(leftovers)
process.disconnect()

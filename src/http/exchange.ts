import { asyncScheduler, Observable, type Subscription } from 'rxjs'
import { type RespanError, Timeout } from '../errors.js'
import { type AnswerIds, answerIds } from './answerIds.js'
import { connectionError } from './connectionError.js'
import { idleTimer } from './idleTimer.js'
import type { Scrub } from './scrub.js'
import { type Outgoing, send } from './send.js'

/** One request and its limits; all times in ms, `Infinity` for no limit. */
export interface Exchange extends Outgoing {
  /** From the start to the last byte. */
  readonly timeout: number
  /** Between two pieces of the body. */
  readonly idleTimeout: number
  /** What is left of the limit of all attempts, and that limit. */
  readonly deadline?: { readonly left: number; readonly limit: number }
  readonly scrub: Scrub
}

/** What a reader does with an answer while it reads it. */
export interface Reading<B> {
  readonly ids: AnswerIds
  readonly emit: (value: B) => void
  /** Opens the body, which is broken off when nobody listens any more; `undefined` when there is none. */
  readonly open: (response: Response) => ReadableStreamDefaultReader<Uint8Array> | undefined
  /** Nobody listens any more: stop reading. */
  readonly closed: () => boolean
  /** A piece of the body has arrived and been dealt with. */
  readonly progress: () => void
  /** All was emitted: completes, and leaves the rest of the body to the reader instead of breaking it off. */
  readonly finish: () => void
}

/**
 * Sends a request at subscription and reads its answer; the one way out to the network.
 *
 * Completes when `read` is done. Unsubscribing aborts the request, or breaks off the body. A redirect is not followed:
 * it reaches `read` as the answer. Nothing is retried here.
 *
 * Emits the errors `NetworkError` (no answer), `StreamInterrupted` (the body broke off), `Timeout`, and what `read`
 * rejects with, when that is one of ours.
 *
 * @param request - where to, what, and the limits
 * @param read - takes the answer, whatever its status
 */
export const exchange = <B>(
  request: Exchange,
  read: (response: Response, reading: Reading<B>) => Promise<void>,
): Observable<B> =>
  new Observable<B>((subscriber) => {
    // RxJS subscribes a source even for a subscriber that has already left (by a `take(1)`, say): then no request is made.
    if (subscriber.closed) return
    const { url, timeout, idleTimeout, deadline, scrub } = request
    const controller = new AbortController()
    const started = asyncScheduler.now()
    let finished = false
    let ids: AnswerIds | undefined
    /** The body of the answer, or whoever reads it. */
    let body: Pick<ReadableStream, 'cancel'> | null | undefined
    let idle: ReturnType<typeof idleTimer> | undefined

    const fail = (error: RespanError): void => {
      if (!subscriber.closed) subscriber.error(error)
    }
    const runOut = (): void =>
      fail(
        deadline !== undefined && deadline.left < timeout
          ? new Timeout('retry', deadline.limit, ids)
          : new Timeout(ids === undefined ? 'headers' : 'body', timeout, ids),
      )
    const timer = after(Math.min(timeout, deadline?.left ?? Number.POSITIVE_INFINITY), runOut)

    const finish = (): void => {
      finished = true
      subscriber.complete()
    }

    const run = async (): Promise<void> => {
      const response = await send(request, controller.signal)
      body = response.body
      if (subscriber.closed) return breakOff()
      const known = answerIds(response.headers, scrub)
      ids = known
      idle = idleTimer(idleTimeout, () => fail(new Timeout('idle', idleTimeout, known)))
      await read(response, {
        ids: known,
        emit: (value) => subscriber.next(value),
        open: (response) => {
          const reader = response.body?.getReader()
          body = reader
          return reader
        },
        closed: () => subscriber.closed,
        progress: () => idle?.touch(),
        finish,
      })
      finish()
    }

    /** For a fetch that knows nothing of signals. */
    const breakOff = (): void => {
      body?.cancel().catch(() => undefined)
    }

    run().catch((thrown: unknown) =>
      fail(connectionError(thrown, { url, scrub, ids, elapsed: asyncScheduler.now() - started })),
    )

    return () => {
      timer?.unsubscribe()
      idle?.stop()
      if (finished) return
      controller.abort()
      breakOff()
    }
  })

const after = (ms: number, work: () => void): Subscription | undefined =>
  Number.isFinite(ms) ? asyncScheduler.schedule(work, Math.max(0, ms)) : undefined

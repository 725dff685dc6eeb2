import { asyncScheduler, Observable, type Subscription } from 'rxjs'
import { type RespanError, Timeout } from '../errors.js'
import { type AnswerIds, answerIds } from './answerIds.js'
import { connectionError } from './connectionError.js'
import { idleTimer } from './idleTimer.js'
import type { Scrub } from './Scrub.js'
import { type Outgoing, send } from './send.js'

/** The limit for all attempts together, and how much of it is left, ms. */
export interface Deadline {
  readonly left: number
  readonly limit: number
}

/** One request and its limits; all times in ms, `Infinity` for no limit. */
export interface Exchange extends Outgoing {
  /** Limit from the start to the last byte. */
  readonly timeout: number
  /** Limit between two chunks of the body. */
  readonly idleTimeout: number
  readonly deadline?: Deadline
  readonly scrub: Scrub
}

/** What the function that reads an answer works with. */
export interface Reading<B> {
  readonly ids: AnswerIds
  readonly emit: (value: B) => void
  /** Opens the body, which is cancelled when the subscriber leaves; `undefined` if there is none. */
  readonly open: (response: Response) => ReadableStreamDefaultReader<Uint8Array> | undefined
  /** Whether the subscriber has left: stop reading. */
  readonly closed: () => boolean
  /** To be called after each chunk of the body, which restarts the idle timeout. */
  readonly progress: () => void
  /** To be called when everything was emitted: completes, and leaves the rest of the body to the reader. */
  readonly finish: () => void
}

/**
 * Sends a request at subscription and reads its answer. Everything that goes out to the network goes through here.
 *
 * Completes when `read` resolves. Unsubscribing aborts the request, or cancels the body. A redirect is not followed: it
 * is passed to `read` as the answer. Nothing is retried here.
 *
 * Emits the errors `NetworkError` (no answer), `StreamInterrupted` (the body broke off), `Timeout`, and any
 * `RespanError` that `read` rejects with.
 *
 * @param request - the request and its limits
 * @param read - reads the answer, whatever its status
 */
export const exchange = <B>(
  request: Exchange,
  read: (response: Response, reading: Reading<B>) => Promise<void>,
): Observable<B> =>
  new Observable<B>((subscriber) => {
    // RxJS subscribes to a source even for a subscriber that is already closed (by a `take(1)`, say): send nothing then.
    if (subscriber.closed) return
    const { url, timeout, idleTimeout, deadline, scrub } = request
    const controller = new AbortController()
    const started = asyncScheduler.now()
    let finished = false
    let ids: AnswerIds | undefined
    /** The body of the answer, or its reader once it is locked. */
    let body: Pick<ReadableStream, 'cancel'> | null | undefined
    let idle: ReturnType<typeof idleTimer> | undefined

    const fail = (error: RespanError): void => {
      if (!subscriber.closed) subscriber.error(error)
    }
    const timeOut = (): void =>
      fail(
        deadline !== undefined && deadline.left < timeout
          ? new Timeout('retry', deadline.limit, ids)
          : new Timeout(ids === undefined ? 'headers' : 'body', timeout, ids),
      )
    const timer = after(Math.min(timeout, deadline?.left ?? Number.POSITIVE_INFINITY), timeOut)

    const finish = (): void => {
      finished = true
      subscriber.complete()
    }

    const run = async (): Promise<void> => {
      const response = await send(request, controller.signal)
      body = response.body
      if (subscriber.closed) return cancelBody()
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

    /** For a fetch that ignores the signal. */
    const cancelBody = (): void => {
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
      cancelBody()
    }
  })

const after = (ms: number, work: () => void): Subscription | undefined =>
  Number.isFinite(ms) ? asyncScheduler.schedule(work, Math.max(0, ms)) : undefined

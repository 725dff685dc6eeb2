import type { KyInstance } from 'ky'
import { asyncScheduler, Observable, type Subscription } from 'rxjs'
import { fieldOf } from '../codecs/fieldOf.js'
import { hasMethods } from '../codecs/hasMethods.js'
import { refuse } from '../codecs/refuse.js'
import {
  isRespanError,
  NetworkError,
  type RespanError,
  StreamInterrupted,
  Timeout,
  type TimeoutPhase,
} from '../errors.js'
import { idleTimer } from './idleTimer.js'
import { innermostCode, reasonOf, safeCause } from './safeCause.js'
import type { Scrub } from './scrub.js'

/** One request and its limits; all times in ms, `Infinity` for no limit. */
export interface Exchange {
  readonly url: string
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST'
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof fetch | undefined
  /** From the start to the last byte. */
  readonly timeout: number
  /** Between two pieces of the body. */
  readonly idleTimeout: number
  /** What is left of the limit of all attempts, and that limit. */
  readonly deadline?: { readonly left: number; readonly limit: number }
  /** Lets the request outlive a page that is being left; its body is then bounded by browsers (64 KiB). */
  readonly keepalive?: boolean
  readonly scrub: Scrub
}

/** What an answer's headers say about the call. */
export interface AnswerIds {
  readonly requestId?: string
  readonly logId?: string
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
 * @param failed - makes of an error what is emitted instead; every error goes through it
 */
export const exchange = <B>(
  request: Exchange,
  read: (response: Response, reading: Reading<B>) => Promise<void>,
  failed: (error: RespanError) => unknown = (error) => error,
): Observable<B> =>
  new Observable<B>((subscriber) => {
    const { timeout, deadline, scrub } = request
    const controller = new AbortController()
    const started = asyncScheduler.now()
    let phase: TimeoutPhase = 'headers'
    let ids: AnswerIds = {}
    let finished = false
    let answer: Response | undefined
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
    let idle: ReturnType<typeof idleTimer> | undefined

    const fail = (error: RespanError): void => {
      if (!subscriber.closed) subscriber.error(failed(error))
    }
    const runOut = (): void =>
      fail(
        deadline !== undefined && deadline.left < timeout
          ? new Timeout('retry', deadline.limit, ids)
          : new Timeout(phase, timeout, ids),
      )
    const timer = after(Math.min(timeout, deadline?.left ?? Number.POSITIVE_INFINITY), runOut)

    const described = (thrown: unknown): RespanError => {
      if (isRespanError(thrown)) return thrown
      const cause = safeCause(thrown, scrub)
      if (GIVEN_UP_BY_FETCH.has(innermostCode(thrown) ?? ''))
        return new Timeout(phase === 'headers' ? 'headers' : 'idle', asyncScheduler.now() - started, {
          ...ids,
          cause,
        })
      return broken(scrub(reasonOf(thrown)), cause)
    }

    const broken = (reason: string, cause?: unknown): RespanError =>
      phase === 'headers'
        ? new NetworkError(`No answer from ${scrub(request.url)}: ${reason}.`, { cause })
        : new StreamInterrupted(`The connection broke off in the middle of the answer: ${reason}.`, {
            ...ids,
            cause,
          })

    const toError = (thrown: unknown): RespanError => {
      try {
        return described(thrown)
      } catch {
        // What can't be looked at: a message that is no text, a getter that throws, a revoked proxy.
        return broken('unknown reason')
      }
    }

    /** For a fetch that knows nothing of signals. */
    const breakOff = (): void => {
      if (reader !== undefined) reader.cancel().catch(() => undefined)
      else if (answer !== undefined) discard(answer)
    }

    const finish = (): void => {
      finished = true
      subscriber.complete()
    }

    const run = async (): Promise<void> => {
      const ky = loadedKy ?? (await loadKy())
      if (subscriber.closed) return
      const response = await send(ky, request, controller.signal)
      if (subscriber.closed) return discard(response)
      answer = response
      phase = 'body'
      ids = answerIds(response.headers, scrub)
      idle = idleTimer(request.idleTimeout, () => fail(new Timeout('idle', request.idleTimeout, ids)))
      await read(response, {
        ids,
        emit: (value) => subscriber.next(value),
        open: (response) => {
          reader = response.body?.getReader()
          return reader
        },
        closed: () => subscriber.closed,
        progress: () => idle?.touch(),
        finish,
      })
      finish()
    }

    run().catch((thrown: unknown) => fail(toError(thrown)))

    return () => {
      timer?.unsubscribe()
      idle?.stop()
      if (finished) return
      controller.abort()
      breakOff()
    }
  })

/** Node's own fetch gives up by itself after 300 s without headers, or without a byte. */
const GIVEN_UP_BY_FETCH: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

const after = (ms: number, work: () => void): Subscription | undefined =>
  Number.isFinite(ms) ? asyncScheduler.schedule(work, Math.max(0, ms)) : undefined

// Loaded with the first request, not with the library: it is the slowest import of all. Kept, so that every further
// request goes out in the tick of its subscription, which a page that is being left depends on.
let loadedKy: KyInstance | undefined

const loadKy = async (): Promise<KyInstance> => {
  loadedKy = (await import('ky')).default
  return loadedKy
}

const send = (ky: KyInstance, request: Exchange, signal: AbortSignal): Promise<Response> => {
  const { url, method = 'POST', body, headers, keepalive } = request
  const init: RequestInit = {
    method,
    headers,
    signal,
    redirect: 'manual',
    // Not false: Bun takes that for a connection of its own.
    ...(keepalive === true ? { keepalive } : {}),
    ...(body === undefined ? {} : { body }),
  }
  const fetch = request.fetch ?? globalThis.fetch
  return ky(url, {
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    // ky is given the address alone, since its Request is never sent: the fetch of another realm or package does not
    // understand it, and what ky does with headers, body and signal is most of its time per request.
    fetch: async () => checkedAnswer(await fetch(url, init)),
  })
}

/** What a fetch of the user's, or one that a test put in its place, gave: without a return, nothing. */
const checkedAnswer = (answer: Response): Response =>
  hasMethods(fieldOf(answer, 'headers'), 'get') ? answer : refuse('fetch', '', 'a Response', answer)

const discard = (response: Response): void => {
  response.body?.cancel().catch(() => undefined)
}

const ID_LENGTH = 256

const answerIds = (headers: Headers, scrub: Scrub): AnswerIds => {
  const requestId = headers.get('x-respan-gateway-request-id') ?? headers.get('x-request-id')
  const logId = headers.get('x-respan-log-id')
  return {
    ...(requestId === null ? {} : { requestId: scrub(requestId).slice(0, ID_LENGTH) }),
    ...(logId === null ? {} : { logId: scrub(logId).slice(0, ID_LENGTH) }),
  }
}

import type { KyInstance } from 'ky'
import { fieldOf } from '../codecs/fieldOf.js'
import { hasMethods } from '../codecs/hasMethods.js'
import { refuse } from '../codecs/refuse.js'

/** A request as it goes out. */
export interface Outgoing {
  readonly url: string
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST'
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof fetch | undefined
  /** Lets the request outlive a page that is being left; its body is then bounded by browsers (64 KiB). */
  readonly keepalive?: boolean
}

/**
 * Sends a request through ky, once. What is sent before ky is loaded waits for it; later requests are handed to `fetch` in
 * the tick of the call. A redirect is not followed: it is the answer.
 *
 * @returns the answer, whatever its status
 */
export const send = (request: Outgoing, signal: AbortSignal): Promise<Response> =>
  loadedKy === undefined
    ? loadKy().then((ky) => {
        // Not throwIfAborted(), which React Native lacks. Nobody waits for it.
        if (signal.aborted) throw new Error('The request was left.')
        return sendBy(ky, request, signal)
      })
    : sendBy(loadedKy, request, signal)

// Loaded with the first request, not with the library: it is the slowest import of all. Kept, so that every further
// request goes out in the tick of its subscription, which a page that is being left depends on.
let loadedKy: KyInstance | undefined

const loadKy = async (): Promise<KyInstance> => {
  loadedKy = (await import('ky')).default
  return loadedKy
}

const sendBy = (ky: KyInstance, request: Outgoing, signal: AbortSignal): Promise<Response> => {
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

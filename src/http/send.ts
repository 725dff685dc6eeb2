import type { KyInstance } from 'ky'
import { refuse } from '../codecs/refuse.js'
import { fieldOf } from '../util/fieldOf.js'
import { hasMethods } from '../util/hasMethods.js'

/** A request as it is sent. */
export interface Outgoing {
  readonly url: string
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST'
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof fetch | undefined
  /** Lets the request outlive a page that is being left; browsers then limit its body to 64 KiB. */
  readonly keepalive?: boolean
}

/**
 * Sends a request through ky, once. Requests made before ky is loaded wait for it; later ones reach `fetch` in the tick
 * of the call. A redirect is not followed: it is the answer.
 *
 * @returns the answer, whatever its status
 */
export const send = (request: Outgoing, signal: AbortSignal): Promise<Response> =>
  loadedKy === undefined
    ? loadKy().then((ky) => {
        // Not throwIfAborted(), which React Native lacks. Nobody sees this error, since the subscriber has left.
        if (signal.aborted) throw new Error('The request was cancelled.')
        return sendBy(ky, request, signal)
      })
    : sendBy(loadedKy, request, signal)

// Loaded at the first request rather than with the library, because it is the slowest import of all. Kept, so that every
// further request goes out in the tick of its subscription, on which a page that is being left depends.
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
    // Not false, which makes Bun open a new connection.
    ...(keepalive === true ? { keepalive } : {}),
    ...(body === undefined ? {} : { body }),
  }
  const fetch = request.fetch ?? globalThis.fetch
  return ky(url, {
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    // ky gets only the address, since its Request is never sent: a fetch of another realm or package does not accept it,
    // and processing headers, body and signal is most of what ky costs per request.
    fetch: async () => checkedAnswer(await fetch(url, init)),
  })
}

/** A user's fetch, or a test's replacement, may return something else: nothing, if its `return` was forgotten. */
const checkedAnswer = (answer: Response): Response =>
  hasMethods(fieldOf(answer, 'headers'), 'get') ? answer : refuse('fetch', '', 'a Response', answer)

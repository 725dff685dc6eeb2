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
 * Sends a request through ky, once. Requests made before ky is loaded wait for it. A request that is to outlive its page
 * goes straight to `fetch`, in the tick of the call, because a page that is being left has no time for ky's promises. So
 * does every request if ky can't be loaded. A redirect is not followed: it is the answer.
 *
 * @returns the answer, whatever its status
 */
export const send = async (request: Outgoing, signal: AbortSignal): Promise<Response> => {
  if (request.keepalive === true) return fetchOnce(request, signal)
  const ky = loadedKy ?? (await loadKy())
  // Not throwIfAborted(), which React Native lacks. Nobody sees this error, since the subscriber has left.
  if (signal.aborted) throw new Error('The request was cancelled.')
  return ky === undefined ? fetchOnce(request, signal) : sendBy(ky, request, signal)
}

// Loaded at the first request rather than with the library, because it is the slowest import of all.
let loadedKy: KyInstance | undefined

/** `undefined` if ky can't be loaded: a service worker may not import it, or a new version of the site has replaced its file. */
const loadKy = async (): Promise<KyInstance | undefined> => {
  loadedKy = await import('ky').then(
    ({ default: ky }) => ky,
    () => undefined,
  )
  return loadedKy
}

const sendBy = (ky: KyInstance, request: Outgoing, signal: AbortSignal): Promise<Response> =>
  ky(request.url, {
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    // ky gets only the address, since its Request is never sent: a fetch of another realm or package does not accept it,
    // and processing headers, body and signal is most of what ky costs per request.
    fetch: () => fetchOnce(request, signal),
  })

const fetchOnce = async (request: Outgoing, signal: AbortSignal): Promise<Response> => {
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
  return checkedAnswer(await fetch(url, init))
}

/** A user's fetch, or a test's replacement, may return something else: nothing, if its `return` was forgotten. */
const checkedAnswer = (answer: Response): Response =>
  hasMethods(fieldOf(answer, 'headers'), 'get') ? answer : refuse('fetch', '', 'a Response', answer)

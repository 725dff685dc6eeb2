import type { Either } from 'fp-ts/lib/Either.js'
import { isRight, left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { describeFound } from '../codecs/describeFound.js'
import { memoizeLast } from '../util/memoizeLast.js'
import { tried } from '../util/tried.js'

/** The base URL of Respan itself. */
export const RESPAN_BASE_URL = 'https://api.respan.ai/api'

/** The base URL of OpenAI itself. */
export const OPENAI_BASE_URL = 'https://api.openai.com/v1'

/** A path on the page's own server, as `fetch` accepts it. Not `//host/path`, which names another server. */
const PATH = /^\/(?!\/)/

interface Runtime {
  readonly location?: { readonly origin?: string }
}

/** The origin of a page that was opened from a file, and so has no server. */
const NO_SERVER = 'null'

const ownOrigin = (): string | undefined => {
  const { location }: Runtime = globalThis
  return location === undefined ? undefined : (location.origin ?? NO_SERVER)
}

const completed = (url: string, origin = NO_SERVER): string => {
  const text = url.trim()
  return PATH.test(text) && origin !== NO_SERVER ? `${origin}${text}` : text
}

/**
 * Normalises a base URL of Respan, which users write with or without `/api`. White space around it, trailing slashes,
 * query and fragment are dropped. A URL without a path gets `/api`; any other path is kept, so that a proxy can have its
 * own (`https://proxy.local/respan`). A path alone is resolved against the page's own server.
 *
 * @param url - as the user wrote it
 * @returns the base to which paths such as `/chat/completions` are appended, or why it can't be used, without repeating
 *   the URL, which may hold credentials
 * @see https://respan.ai/docs/apis/develop/gateway/chat-completions
 */
export const respanBaseUrl = (url: string): Either<DecodeFailure, string> =>
  respanBase(completed(url, ownOrigin()))

/**
 * Normalises a base URL of OpenAI, or of a server that speaks its protocol, in the same way, except that no path is
 * added: an `OPENAI_BASE_URL` means the same here as it does to OpenAI's own clients.
 *
 * @param url - as the user wrote it
 */
export const openaiBaseUrl = (url: string): Either<DecodeFailure, string> =>
  openaiBase(completed(url, ownOrigin()))

/** Stands in for the page's origin where there is no page yet, as on a server that renders it. */
const SOME_ORIGIN = 'http://page'

/**
 * Whether a string can be a base URL: both platforms accept the same ones, and differ only in how they normalise them. A
 * path is accepted even where there is no page, since a server that renders the page loads the same modules.
 *
 * @param url - as the user wrote it
 */
export const isBaseUrl = (url: string): boolean =>
  isRight(respanBase(completed(url, ownOrigin() ?? SOME_ORIGIN)))

const EXPECTED = 'an http(s) URL without credentials'
const ENDPOINT = '/chat/completions'

const normalise = (text: string, defaultPath: string): Either<DecodeFailure, string> => {
  const parsed = parse(text)
  if (parsed === undefined)
    return refuse(
      PATH.test(text) ? 'a bare path, which works only in a page served over http(s)' : describeFound(text),
    )
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return refuse('a URL with another scheme')
  if (parsed.username !== '' || parsed.password !== '') return refuse('a URL with credentials')
  const path = withoutTrailingSlashes(parsed.pathname)
  if (path.endsWith(ENDPOINT)) return refuse(`a URL that ends with ${ENDPOINT}, which is added automatically`)
  return right(`${parsed.origin}${path === '' ? defaultPath : path}`)
}

const respanBase = memoizeLast((url) => normalise(url, '/api'))
const openaiBase = memoizeLast((url) => normalise(url, ''))

const parse = (text: string): URL | undefined => tried(() => new URL(text))

// A loop, because /\/+$/ takes quadratic time on a path of many slashes.
const withoutTrailingSlashes = (path: string): string => {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end -= 1
  return path.slice(0, end)
}

const refuse = (found: string): Either<DecodeFailure, never> => left({ path: '', expected: EXPECTED, found })

/** The platform that owns the host of a normalised base URL, and requires its key there; `undefined` for other hosts. */
export const hostOwner: (baseUrl: string) => 'respan' | 'openai' | undefined = memoizeLast((baseUrl) => {
  const host = new URL(baseUrl).hostname.replace(/\.$/, '')
  const isOf = (own: string): boolean => host === own || host.endsWith(`.${own}`)
  return RESPAN_HOSTS.some(isOf) ? 'respan' : OPENAI_HOSTS.some(isOf) ? 'openai' : undefined
})

const RESPAN_HOSTS = ['respan.ai', 'respan.co', 'keywordsai.co']
const OPENAI_HOSTS = ['openai.com']

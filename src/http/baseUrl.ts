import type { Either } from 'fp-ts/lib/Either.js'
import { isRight, left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { describeFound } from '../codecs/describeFound.js'
import { tried } from '../codecs/tried.js'
import { memoizeLast } from './memoizeLast.js'

/** Where Respan answers. */
export const RESPAN_BASE_URL = 'https://api.respan.ai/api'

/** Where OpenAI answers. */
export const OPENAI_BASE_URL = 'https://api.openai.com/v1'

/** A path as a page writes it, of its own server: `fetch` takes it so. Not `//host/path`, which is another server. */
const PATH = /^\/(?!\/)/

interface Runtime {
  readonly location?: { readonly origin?: string }
}

/** A page that was opened from a file has the origin 'null', and no server. */
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
 * Normalises a base URL of Respan: users write it with and without `/api`. White space around it, slashes at its end,
 * query and fragment don't count. Without a path it gets `/api`; any path given is kept, so that a proxy can have its
 * own (`https://proxy.local/respan`). A path alone is one of the page's own server.
 *
 * @param url - as the user wrote it
 * @returns the base that paths such as `/chat/completions` are appended to, or why it is none; the text of the URL,
 *   which may hold credentials, is not repeated
 * @see https://respan.ai/docs/apis/develop/gateway/chat-completions
 */
export const respanBaseUrl = (url: string): Either<DecodeFailure, string> =>
  respanBase(completed(url, ownOrigin()))

/**
 * Normalises a base URL of OpenAI, or of a server that speaks its protocol. As for Respan, but nothing is added: what
 * OpenAI's own clients take as `OPENAI_BASE_URL` means the same here.
 *
 * @param url - as the user wrote it
 */
export const openaiBaseUrl = (url: string): Either<DecodeFailure, string> =>
  openaiBase(completed(url, ownOrigin()))

/** Stands for the page's where there is no page yet: on a server that renders it first. */
const SOME_ORIGIN = 'http://page'

/**
 * Whether a text can be a base URL: both platforms take the same ones, and differ in what they make of them. A path can, also
 * where there is no page, since a server that renders one first loads its files.
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
      PATH.test(text) ? 'a path alone, which only a page of a server can complete' : describeFound(text),
    )
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return refuse('a URL with another scheme')
  if (parsed.username !== '' || parsed.password !== '') return refuse('a URL with credentials')
  const path = withoutTrailingSlashes(parsed.pathname)
  if (path.endsWith(ENDPOINT)) return refuse(`a URL that ends with ${ENDPOINT}, which is appended to it`)
  return right(`${parsed.origin}${path === '' ? defaultPath : path}`)
}

const respanBase = memoizeLast((url) => normalise(url, '/api'))
const openaiBase = memoizeLast((url) => normalise(url, ''))

const parse = (text: string): URL | undefined => tried(() => new URL(text))

// A loop, since /\/+$/ takes quadratic time on a path of many slashes.
const withoutTrailingSlashes = (path: string): string => {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end -= 1
  return path.slice(0, end)
}

const refuse = (found: string): Either<DecodeFailure, never> => left({ path: '', expected: EXPECTED, found })

/** The platform whose host a normalised base URL names, and which demands its key there; `undefined` for others. */
export const hostOwner: (baseUrl: string) => 'respan' | 'openai' | undefined = memoizeLast((baseUrl) => {
  const host = new URL(baseUrl).hostname.replace(/\.$/, '')
  const isOf = (own: string): boolean => host === own || host.endsWith(`.${own}`)
  return RESPAN_HOSTS.some(isOf) ? 'respan' : OPENAI_HOSTS.some(isOf) ? 'openai' : undefined
})

const RESPAN_HOSTS = ['respan.ai', 'respan.co', 'keywordsai.co']
const OPENAI_HOSTS = ['openai.com']

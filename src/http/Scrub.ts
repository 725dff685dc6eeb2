import { isSecret, secretsIn } from '../codecs/redactSecrets.js'
import { forgetOldest } from '../util/forgetOldest.js'
import { tried } from '../util/tried.js'
import { parseJson } from './parseJson.js'

// Which parts of a header's value are scrubbed:
//
//   value                                     scrubbed, besides the whole value
//   ----------------------------------------  ------------------------------------------------------
//   Bearer KEY                                everything after the first word
//   KEY1, KEY2    a=KEY1; b=KEY2              each item of the list that has a digit
//   a=KEY   a="KEY"   https://user:KEY@host   the value after = or :, also with URL escapes decoded
//   BASE64, Basic BASE64                      of user:KEY the key; of KEY: the key; of JSON its secrets
//
// Each of these is scrubbed verbatim, as JSON, as JSON within JSON, and URL-encoded with escapes in upper and in lower
// case. In the text, any character may be written as a JSON escape.

/** Replaces every secret in a text with `[redacted]`. */
export type Scrub = (text: string) => string

/** The scrub of a request without secrets. It can be compared by reference, and left out of a collection of scrubs. */
export const scrubNothing: Scrub = (text) => text

// An `idempotency-key` is a key in name only: it identifies a request and its repetitions.
const SECRET_HEADER = /^(?!idempotency-key$).*(?:auth|key|token|secret|cookie|credential|password)/i

/** Whether the value of a header is secret: its name is that of a secret field, or looks like one of credentials. */
export const isSecretHeader = (name: string): boolean => isSecret(name) || SECRET_HEADER.test(name)

/**
 * Makes a function that removes everything that must not get into an error: the API key, the values of headers that look
 * like credentials, and other secrets that a request sends, verbatim, as JSON and URL-encoded.
 *
 * @param headers - all headers of a request
 * @param others - the secrets in its body
 * @returns the same function for the same secrets, as long as they are among the newest hundred, so that a trace, which
 *   keeps a set of these functions, holds each one once
 */
export const scrubber = (
  headers: Readonly<Record<string, string>>,
  others: ReadonlyArray<string> = [],
): Scrub => {
  const secretHeaders = Object.entries(headers).filter(([name]) => isSecretHeader(name))
  const secrets = [...secretHeaders.map(([, value]) => value), ...others]
  return secrets.length === 0 ? scrubNothing : scrubFor(secrets)
}

/** How many are kept in one place: a header that differs from call to call must not be kept of each. */
export const MOST_SCRUBS = 100
const known = new Map<string, Scrub>()

const scrubFor = (secrets: ReadonlyArray<string>): Scrub => {
  const key = JSON.stringify(secrets)
  const scrub = known.get(key) ?? makeScrub(secrets)
  known.delete(key)
  known.set(key, scrub)
  forgetOldest(known, MOST_SCRUBS)
  return scrub
}

/** No real key is shorter; scrubbing a shorter one would only garble messages. */
const SHORTEST_SECRET = 6

const makeScrub = (secrets: ReadonlyArray<string>): Scrub => {
  const forms = secrets
    .flatMap((value) => [value, value.replace(/^\S+\s+/, ''), ...listed(value), ...assigned(value)])
    .flatMap((value) => [value, ...inBase64(value)])
    .flatMap((value) => [value, inJson(value), inJson(inJson(value)), ...inUrl(value)])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    // The longest first, since one secret may be part of another.
    .sort((one, other) => other.length - one.length)
  if (forms.length === 0) return scrubNothing
  const without = withoutAny([...new Set(forms)])
  return (text) => {
    const clean = without(text)
    if (!MAY_HIDE.test(clean)) return clean
    const plain = clean.replaceAll(ESCAPED, unescaped)
    const cleaner = without(plain)
    return cleaner === plain ? clean : cleaner
  }
}

/** The keys in a list. A word without a digit is not a key, and may be one that an error's message needs. */
const listed = (value: string): ReadonlyArray<string> =>
  value.split(/\s*[,;]\s*/).filter((piece) => /\d/.test(piece))

/** The value of a cookie, or of a parameter of a scheme or URL; or a password after a name, at the end or before `@`. */
const ASSIGNED = /=\s*"?([^\s",;&]+)|:([^\s",;:@/]+)(?=@|$)/g

/** The values that a header assigns to names, verbatim and with URL escapes decoded. */
const assigned = (value: string): ReadonlyArray<string> =>
  Array.from(value.matchAll(ASSIGNED), ([, text = '', password = text]) => [
    password,
    recoded(decodeURIComponent, password),
  ]).flat()

/** Secrets in base64: the password of `Basic`, or the name if that is empty; those in `X-Data-Respan-Params`. */
const inBase64 = (value: string): ReadonlyArray<string> => {
  const bytes = tried(() => atob(value))
  if (bytes === undefined) return []
  const text = decoded(bytes)
  const json = parseJson(text)
  return json === undefined ? [text.slice(text.indexOf(':') + 1) || text.slice(0, -1)] : secretsIn(json)
}

/** Decodes bytes as UTF-8; if they are not, one character for each byte, as `btoa` encodes them. */
const decoded = (bytes: string): string =>
  tried(() =>
    new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes, (one) => one.charCodeAt(0))),
  ) ?? bytes

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** URL-encoded, with escapes in upper and in lower case. */
const inUrl = (text: string): ReadonlyArray<string> => {
  const encoded = recoded(encodeURIComponent, text)
  return [encoded, encoded.replaceAll(/%../g, (byte) => byte.toLowerCase())]
}

/** Text with a lone surrogate or an incomplete escape, which can't be recoded, is returned as it is. */
const recoded = (recode: (text: string) => string, text: string): string => tried(() => recode(text)) ?? text

/** In characters. Engines refuse an expression that is too large, with an error that quotes all of it. */
const LARGEST_PATTERN = 10_000

const withoutAny = (forms: ReadonlyArray<string>): Scrub => {
  const pattern = forms.map(literally).join('|')
  if (pattern.length > LARGEST_PATTERN)
    return (text) => forms.reduce((clean, form) => clean.replaceAll(form, '[redacted]'), text)
  const anyForm = new RegExp(pattern, 'g')
  return (text) => text.replace(anyForm, '[redacted]')
}

const literally = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')

// JSON may escape any character, and some servers do: a slash, a plus, whatever is not ASCII.
const MAY_HIDE = /\\[u/]/
// Each level of JSON within JSON adds backslashes. They are bounded, since matching any number would take quadratic time.
const ESCAPED = /\\{1,15}(?:u([\da-f]{4})|\/)/gi

/** Undoes escapes that JSON does not need: quotes, backslashes and control characters keep theirs. */
const unescaped = (escaped: string, digits: string | undefined): string => {
  if (digits === undefined) return '/'
  const character = String.fromCharCode(Number.parseInt(digits, 16))
  if (character < ' ') return escaped
  return character === '"' || character === '\\' ? `\\${character}` : character
}

import { forgetOldest } from '../codecs/forgetOldest.js'
import { isSecret, secretsIn } from '../codecs/redactSecrets.js'
import { tried } from '../codecs/tried.js'
import { parseJson } from './parseJson.js'

// What of a header is looked for in a text:
//
//   a header holds                            looked for, besides the whole
//   ----------------------------------------  ------------------------------------------------------
//   Bearer KEY                                what is behind the first word
//   KEY1, KEY2    a=KEY1; b=KEY2              each of the list that has a digit
//   a=KEY   a="KEY"   https://user:KEY@host   what is behind = or :, and what a URL means by it
//   BASE64, Basic BASE64                      of user:KEY the key; of KEY: that; of JSON its secrets
//
// Each of these as it is, as JSON, as JSON within JSON, and as a URL writes it, in upper and in lower case. In the text, any
// character may be escaped by its number, as JSON allows it.

/** Replaces every secret in a text by `[redacted]`. */
export type Scrub = (text: string) => string

/** The scrub of a request without secrets: whoever collects scrubs can leave it out. */
export const scrubNothing: Scrub = (text) => text

// An `idempotency-key` is a key in name alone: it tells a request from its repetition.
const SECRET_HEADER = /^(?!idempotency-key$).*(?:auth|key|token|secret|cookie|credential|password)/i

/** Whether what a header of that name says is secret: by a key's rules, or by the look of it. */
export const isSecretHeader = (name: string): boolean => isSecret(name) || SECRET_HEADER.test(name)

/**
 * Collects what must not get into an error: the API key, the values of headers that look like credentials, and other
 * secrets that a request sends, as they are, as JSON and as a URL would write them.
 *
 * @param headers - everything that a request sends
 * @param others - what is secret in its body
 * @returns the same function for the same secrets, the newest hundred of them: a trace, which keeps a set of these
 *   functions, has each one once
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
    // The longest first: a secret may be a part of another one.
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

/** The keys of a header that has several. A word without a digit is no key, and the messages of errors need it. */
const listed = (value: string): ReadonlyArray<string> =>
  value.split(/\s*[,;]\s*/).filter((piece) => /\d/.test(piece))

/** A cookie, a parameter of a scheme or of a URL; a password after its name, at the end or before a host. */
const ASSIGNED = /=\s*"?([^\s",;&]+)|:([^\s",;:@/]+)(?=@|$)/g

/** What a header says by a name, as it is and as a URL says it. */
const assigned = (value: string): ReadonlyArray<string> =>
  Array.from(value.matchAll(ASSIGNED), ([, text = '', password = text]) => [
    password,
    recoded(decodeURIComponent, password),
  ]).flat()

/** What else a header says: the password of `Basic`, or the name before none, the credentials in `X-Data-Respan-Params`. */
const inBase64 = (value: string): ReadonlyArray<string> => {
  const bytes = tried(() => atob(value))
  if (bytes === undefined) return []
  const text = decoded(bytes)
  const json = parseJson(text)
  return json === undefined ? [text.slice(text.indexOf(':') + 1) || text.slice(0, -1)] : secretsIn(json)
}

/** Text of bytes: in UTF-8, or else as `btoa` takes it, a character for each. */
const decoded = (bytes: string): string =>
  tried(() =>
    new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes, (one) => one.charCodeAt(0))),
  ) ?? bytes

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Its escapes are in upper case, or in lower case. */
const inUrl = (text: string): ReadonlyArray<string> => {
  const large = recoded(encodeURIComponent, text)
  return [large, large.replaceAll(/%../g, (byte) => byte.toLowerCase())]
}

/** Half a character, or half an escape, has no other form. */
const recoded = (recode: (text: string) => string, text: string): string => tried(() => recode(text)) ?? text

/** Characters. From some size on, an engine refuses an expression, in an error that quotes all of it. */
const LARGEST_PATTERN = 10_000

const withoutAny = (forms: ReadonlyArray<string>): Scrub => {
  const pattern = forms.map(literally).join('|')
  if (pattern.length > LARGEST_PATTERN)
    return (text) => forms.reduce((clean, form) => clean.replaceAll(form, '[redacted]'), text)
  const anyForm = new RegExp(pattern, 'g')
  return (text) => text.replace(anyForm, '[redacted]')
}

const literally = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')

// JSON may write any character by its number, and some servers do: a slash, a plus, whatever is not ASCII.
const MAY_HIDE = /\\[u/]/
// JSON that is a text of JSON has more backslashes, and in time that grows with the text not all of them can be tried.
const ESCAPED = /\\{1,15}(?:u([\da-f]{4})|\/)/gi

/** What says the same in JSON: quotes, backslashes and control characters stay escaped. */
const unescaped = (escaped: string, digits: string | undefined): string => {
  if (digits === undefined) return '/'
  const character = String.fromCharCode(Number.parseInt(digits, 16))
  if (character < ' ') return escaped
  return character === '"' || character === '\\' ? `\\${character}` : character
}

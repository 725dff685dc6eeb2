import { withoutSecrets } from '../codecs/redactSecrets.js'
import { bytesOf } from '../util/bytesOf.js'
import { isError } from '../util/isError.js'
import { isMap } from '../util/isMap.js'
import { isSet } from '../util/isSet.js'
import type { Trace } from './Trace.js'
import { withoutMedia } from './withoutMedia.js'

/** Cuts a text to a number of UTF-8 bytes, never inside a character, and marks the cut at the end. */
export const cutText = (text: string, maxBytes: number): string => {
  // A UTF-16 code unit takes at most three bytes in UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  // Joined, because a concatenation would keep the whole text alive.
  return read === text.length
    ? text
    : [text.slice(0, read), `… [cut: ${text.length - read} of ${text.length} characters]`].join('')
}

/** Objects that refer to each other are found by ever more paths: eleven of them by ten million. */
const MOST_OBJECTS = 20_000

const plain = (
  ancestors: ReadonlyArray<unknown>,
  value: unknown,
  room = { objects: MOST_OBJECTS },
): unknown => {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (ancestors.includes(value)) return '[circular]'
  if (room.objects-- <= 0) return '[left out]'
  const path = [...ancestors, value]
  if (isError(value)) return { name: value.name, message: value.message }
  if (Array.isArray(value) || isMap(value) || isSet(value))
    return Array.from(value, (item) => plain(path, item, room))
  const bytes = bytesOf(value)
  if (bytes !== undefined) return `[${bytes.type ? `${bytes.type}, ` : ''}${bytes.size} bytes]`
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(path, value.toJSON(), room)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(path, item, room)]))
}

/**
 * Whether a value holds, at any depth, something that JSON loses: a map or a set (written as `{}`), bytes (one field each) or
 * an error (without its message).
 */
const holdsMore = (value: unknown): boolean => {
  if (!isObject(value)) return false
  if (Array.isArray(value)) return value.some(holdsMore)
  if (isMap(value) || isSet(value) || ArrayBuffer.isView(value) || isError(value)) return true
  if ('toJSON' in value) return false
  // Without Object.values, which would allocate a list for every input and output.
  for (const key in value) if (Object.hasOwn(value, key) && holdsMore(value[key])) return true
  return false
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

// What a `toJSON` lost shows only in the text: as an empty object, or for bytes as an object whose keys count from 0. One look
// for a second brace clears most texts of both.
const looksLost = (json: string | undefined): boolean =>
  json !== undefined &&
  (json.indexOf('{', 1) > 0
    ? json.includes('{}') || json.includes('{"0":')
    : json === '{}' || json.startsWith('{"0":'))

/** The JSON of a value; `null` if JSON loses something, or throws. */
const lossless = (value: unknown): string | undefined | null => {
  try {
    // Before the walk, because it throws at a cycle, which the walk would follow until the stack overflows.
    const json = JSON.stringify(value)
    return looksLost(json) || holdsMore(value) ? null : json
  } catch {
    return null
  }
}

/**
 * The JSON of any value, without secrets; `undefined` if it has none. Never throws: what JSON refuses, such as a cycle or a
 * BigInt, is replaced by a text.
 */
export const jsonText = (value: unknown): string | undefined => {
  try {
    const json = lossless(value)
    const text = json === null ? JSON.stringify(plain([], value)) : json
    return text === undefined ? undefined : withoutSecrets(text)
  } catch {
    return '[not serialisable]'
  }
}

/** The JSON of an object, as `JSON.stringify` writes it, or where that throws (a cycle, a BigInt) as `jsonText` does. */
export const jsonOf = (value: object): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return jsonText(value) ?? '{}'
  }
}

/** Removes the known secrets from a text. */
export const scrubbed = (text: string, scrubs: Trace['scrubs']): string => {
  let clean = text
  for (const scrub of scrubs) clean = scrub(clean)
  return clean
}

/** Characters of growing content that are kept beyond the bound, so that a secret at the cut is whole, and is recognised. */
export const OVERSHOOT = 1_024

/** Cuts a text to a trace's bound. Secrets are removed first: the cut could leave part of one, which isn't recognised. */
export const boundedText = (text: string, { scrubs, maxContentBytes }: Trace): string => {
  if (text.length * 3 <= maxContentBytes) return text
  return cutText(scrubbed(text, scrubs), maxContentBytes)
}

/**
 * Content as a trace records it: redacted; a text as it is, anything else as JSON; base64 media replaced by their type and
 * size; cut at the bound. `undefined` if there is none, or if content is off.
 */
export const contentText = (content: unknown, trace: Trace): string | undefined => {
  if (!trace.captureContent) return undefined
  const redacted = trace.redact(content)
  const text = typeof redacted === 'string' ? redacted : jsonText(redacted)
  return text === undefined ? undefined : boundedText(withoutMedia(text), trace)
}

import { isError } from '../codecs/isError.js'
import { isMap } from '../codecs/isMap.js'
import { isSet } from '../codecs/isSet.js'
import { withoutSecrets } from '../codecs/redactSecrets.js'
import type { Trace } from './Trace.js'
import { withoutMedia } from './withoutMedia.js'

/** Cuts a text to a number of UTF-8 bytes, never inside a character, and says so at the end. */
export const cutText = (text: string, maxBytes: number): string => {
  // A UTF-16 unit is at most three bytes of UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  // Joined rather than added up, since the sum would keep the whole text alive.
  return read === text.length
    ? text
    : [text.slice(0, read), `… [cut: ${text.length - read} of ${text.length} characters]`].join('')
}

/** Objects that know each other are found in ever more ways: eleven of them in ten million. */
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
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(path, value.toJSON(), room)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(path, item, room)]))
}

/** Whether a value holds, at any depth, what JSON writes as `{}` (a map), byte by byte, or without its message (an error). */
const holdsMore = (value: unknown): boolean => {
  if (!isObject(value)) return false
  if (Array.isArray(value)) return value.some(holdsMore)
  if (isMap(value) || isSet(value) || ArrayBuffer.isView(value) || isError(value)) return true
  if ('toJSON' in value) return false
  // Not by Object.values, whose list is thrown away for every input and output.
  for (const key in value) if (Object.hasOwn(value, key) && holdsMore(value[key])) return true
  return false
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

// What a `toJSON` returned shows in the text alone: as an empty object, or for bytes as an object that counts from 0. One pass
// for a second brace finds most texts free of both.
const looksLost = (json: string | undefined): boolean =>
  json !== undefined &&
  (json.indexOf('{', 1) > 0
    ? json.includes('{}') || json.includes('{"0":')
    : json === '{}' || json.startsWith('{"0":'))

/** What JSON itself makes of a value; `null` where it loses something, or throws. */
const lossless = (value: unknown): string | undefined | null => {
  try {
    // Before the walk: it throws at a cycle, which a walk would follow until the stack is full.
    const json = JSON.stringify(value)
    return looksLost(json) || holdsMore(value) ? null : json
  } catch {
    return null
  }
}

/** JSON of anything, `undefined` for nothing: what JSON refuses (cycles, BigInts) is named instead of thrown at. No secrets. */
export const jsonText = (value: unknown): string | undefined => {
  try {
    const json = lossless(value)
    const text = json === null ? JSON.stringify(plain([], value)) : json
    return text === undefined ? undefined : withoutSecrets(text)
  } catch {
    return '[not serialisable]'
  }
}

/** JSON of an object, as `JSON.stringify` writes it; what that throws at (cycles, BigInts) is named instead. */
export const jsonOf = (value: object): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return jsonText(value) ?? '{}'
  }
}

/** Takes the secrets that are known out of a text. */
export const scrubbed = (text: string, scrubs: Trace['scrubs']): string => {
  let clean = text
  for (const scrub of scrubs) clean = scrub(clean)
  return clean
}

/** How much of a content that grows is kept beyond its bound, characters: a secret at the cut is whole, and so is known. */
export const OVERSHOOT = 1_024

/** A text within a trace's bound. Secrets go first: the cut could leave a part of one, which nobody would know again. */
export const boundedText = (text: string, { scrubs, maxContentBytes }: Trace): string => {
  if (text.length * 3 <= maxContentBytes) return text
  return cutText(scrubbed(text, scrubs), maxContentBytes)
}

/**
 * Content as a trace tells it: redacted, a text as it is and anything else as JSON, media in base64 by type and size, and cut
 * with a mark at the bound. `undefined` for nothing, and when content is off.
 */
export const contentText = (content: unknown, trace: Trace): string | undefined => {
  if (!trace.captureContent) return undefined
  const redacted = trace.redact(content)
  const text = typeof redacted === 'string' ? redacted : jsonText(redacted)
  return text === undefined ? undefined : boundedText(withoutMedia(text), trace)
}

import type { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { memoizeWeak } from '../codecs/memoizeWeak.js'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import { redactSecrets } from '../codecs/redactSecrets.js'
import { parseJson } from '../http/parseJson.js'
import { cutText, jsonText } from '../tracing/contentText.js'

/** Bytes of a metadata value. */
const MAX_VALUE = 4_000

/** JSON as text; what JSON writes as a text (a date, a URL) is that text. */
const textOf = (value: unknown): string | undefined => {
  const json = jsonText(value)
  const text = json?.startsWith('"') === true ? parseJson(json) : undefined
  return typeof text === 'string' ? text : json
}

/** A value of `metadata`, which the platform turns into text: primitives stay, everything else is JSON as text. */
const metadataValue = (value: unknown): unknown => {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  const text = typeof value === 'string' ? value : textOf(value)
  return text === undefined ? undefined : cutText(text, MAX_VALUE)
}

/**
 * Attributes as they go on the wire, also by way of a disk: without the secrets, and with primitive values in `metadata`,
 * at most 4,000 bytes of each. Worked out once for each object.
 */
export const wireAttributes = memoizeWeak((attributes: TraceAttributes): Fields => {
  const { metadata, ...others } = fieldsOf(redactSecrets(attributes))
  const values = Object.entries(fieldsOf(metadata)).flatMap(([key, value]) => {
    const written = metadataValue(value)
    return written === undefined ? [] : [[key, written] as const]
  })
  return metadata === undefined ? others : { ...others, metadata: Object.fromEntries(values) }
})

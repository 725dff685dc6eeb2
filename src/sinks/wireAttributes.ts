import type { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import { redactSecrets } from '../codecs/redactSecrets.js'
import { parseJson } from '../http/parseJson.js'
import { cutText, jsonText } from '../tracing/contentText.js'
import { memoizeWeak } from '../util/memoizeWeak.js'

/** Maximum size of a metadata value, in bytes. */
const MAX_VALUE = 4_000

/** A value as JSON text; one that JSON writes as a string (a date, a URL) as that string. */
const textOf = (value: unknown): string | undefined => {
  const json = jsonText(value)
  const text = json?.startsWith('"') === true ? parseJson(json) : undefined
  return typeof text === 'string' ? text : json
}

/** A value of `metadata`, which the platform converts to a string: primitives stay, everything else is JSON as text. */
const metadataValue = (value: unknown): unknown => {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  const text = typeof value === 'string' ? value : textOf(value)
  return text === undefined ? undefined : cutText(text, MAX_VALUE)
}

/**
 * Attributes as they are sent or spooled: without secrets, and with only primitive values in `metadata`, each of at most
 * 4,000 bytes. Computed once for each object.
 */
export const wireAttributes = memoizeWeak((attributes: TraceAttributes): Fields => {
  const { metadata, ...others } = fieldsOf(redactSecrets(attributes))
  const values = Object.entries(fieldsOf(metadata)).flatMap(([key, value]) => {
    const written = metadataValue(value)
    return written === undefined ? [] : [[key, written] as const]
  })
  return metadata === undefined ? others : { ...others, metadata: Object.fromEntries(values) }
})

import type { Fields } from './Fields.js'

/**
 * Picks the fields that pass a test.
 *
 * They are assigned one by one: an object made by `Object.fromEntries` is several times slower to make, to check and to
 * write as JSON.
 */
export const pickedBy = (fields: Fields, isKept: (value: unknown, key: string) => boolean): Fields => {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) {
    const value = fields[key]
    if (!isKept(value, key)) continue
    // Assigning this key would set the prototype.
    if (key === '__proto__')
      Object.defineProperty(kept, key, { value, writable: true, enumerable: true, configurable: true })
    else kept[key] = value
  }
  return kept
}

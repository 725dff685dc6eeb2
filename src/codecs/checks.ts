import * as t from 'io-ts'

/**
 * Predicts the result of a codec without running it. `true`: the codec accepts the value and returns the same reference.
 * `false`: the codec refuses the value. `undefined`: the codec has to be run, and may return another value.
 *
 * Each function here that returns a check corresponds to one io-ts combinator. In a check with several parts, the first
 * part that is not `true` decides, because from there on io-ts may work on a copy.
 */
export type Check = (value: unknown) => boolean | undefined

const isRecord = t.UnknownRecord.is

/** The check of a codec about which nothing is known. */
export const unsure: Check = () => undefined

/** io-ts compares with `!==`, and so copies whatever holds a `NaN`. */
const unlessNaN =
  (is: (value: unknown) => boolean): Check =>
  (value) =>
    Number.isNaN(value) ? undefined : is(value)

/** The checks of io-ts's primitive codecs, by their `validate`. Codecs that share this function, such as clones, decode alike. */
export const leaves: ReadonlyArray<readonly [t.Any['validate'], Check]> = [
  [t.string.validate, t.string.is],
  [t.number.validate, unlessNaN(t.number.is)],
  [t.boolean.validate, t.boolean.is],
  [t.bigint.validate, t.bigint.is],
  [t.null.validate, t.null.is],
  [t.undefined.validate, t.undefined.is],
  [t.unknown.validate, unlessNaN(t.unknown.is)],
  [t.UnknownArray.validate, t.UnknownArray.is],
  [t.UnknownRecord.validate, t.UnknownRecord.is],
]

/** `t.literal`: returns the literal rather than the value, which makes a difference between 0 and -0. */
export const literal =
  (expected: unknown): Check =>
  (value) =>
    value === expected && (Object.is(value, expected) || undefined)

/** `t.keyof`. */
export const keyof =
  (keys: object): Check =>
  (value) =>
    typeof value === 'string' && Object.hasOwn(keys, value)

/** `t.refinement` and `t.brand`. */
export const refined =
  (inner: Check, predicate: (value: unknown) => unknown): Check =>
  (value) => {
    const kept = inner(value)
    return kept === true ? Boolean(predicate(value)) : kept
  }

/** `t.exact` and `t.strict`: drop own keys that are not in `props`. */
export const exact =
  (inner: Check, props: object): Check =>
  (value) => {
    if (!isRecord(value)) return false
    const kept = inner(value)
    return kept === true && !Object.getOwnPropertyNames(value).every((key) => Object.hasOwn(props, key))
      ? undefined
      : kept
  }

/**
 * A check that is made when a value first reaches it. The definition of a `t.recursion` may refer to something that does
 * not exist earlier, and running it renames a codec.
 */
export const lazy = (make: () => Check): Check => {
  let check: Check | undefined
  return (value) => {
    try {
      check ??= make()
    } catch {
      // io-ts throws here as well, unless a tag leads it to another branch.
      return undefined
    }
    return check(value)
  }
}

/** A key of an object, and the check of its value. */
export interface Field {
  readonly key: string
  readonly check: Check
}

/** `t.type`: adds a missing key if its codec accepts `undefined`. */
export const type =
  (fields: ReadonlyArray<Field>): Check =>
  (value) => {
    if (!isRecord(value)) return false
    for (const { key, check } of fields) {
      const inner = value[key]
      const kept = check(inner)
      if (kept !== true) return kept
      if (inner === undefined && !Object.hasOwn(value, key)) return undefined
    }
    return true
  }

/** `t.partial`: leaves an `undefined` field alone, unless its codec turns that into something else. */
export const partial = (fields: ReadonlyArray<Field>): Check => {
  const optional = fields.map(({ key, check }): OptionalField => ({ key, check, isSkipped: undefined }))
  return (value) => {
    if (!isRecord(value)) return false
    for (const field of optional) {
      const inner = value[field.key]
      if (inner === undefined) {
        field.isSkipped ??= field.check(undefined) !== undefined
        if (!field.isSkipped) return undefined
      } else {
        const kept = field.check(inner)
        if (kept !== true) return kept
      }
    }
    return true
  }
}

interface OptionalField extends Field {
  /** Whether it is left alone when it is `undefined`. Determined once, since most fields of most values are. */
  isSkipped: boolean | undefined
}

/** `t.record` over keys that are not known beforehand: drops the keys that the domain refuses. */
export const record =
  (domain: Check, codomain: Check, arrays: boolean): Check =>
  (value) => {
    if (!isRecord(value)) return arrays && Array.isArray(value)
    for (const key of Object.keys(value)) {
      if (domain(key) !== true) return undefined
      const kept = codomain(value[key])
      if (kept !== true) return kept
    }
    return true
  }

/** `t.array` and `t.readonlyArray`. */
export const list =
  (item: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return false
    for (let index = 0; index < value.length; index += 1) {
      const kept = item(value[index])
      if (kept !== true) return kept
    }
    return true
  }

/** `t.tuple`: drops items beyond its length. */
export const tuple =
  (items: ReadonlyArray<Check>): Check =>
  (value) => {
    if (!Array.isArray(value)) return false
    if (value.length > items.length) return undefined
    for (const [index, item] of items.entries()) {
      const kept = item(value[index])
      if (kept !== true) return kept
    }
    return true
  }

/** `t.union`: the first codec that accepts. */
export const union = (checks: ReadonlyArray<Check>): Check =>
  checks.reduceRight((others, check) => (value) => {
    const kept = check(value)
    return kept === false ? others(value) : kept
  })

/** `t.intersection`: all codecs have to accept. */
export const intersection = (checks: ReadonlyArray<Check>): Check =>
  checks.reduceRight((others, check) => (value) => {
    const kept = check(value)
    return kept === true ? others(value) : kept
  })

import * as t from 'io-ts'

/**
 * What is certain about a codec's answer to a value before it is asked. `true`: it accepts the value and gives it back
 * as it is, the same reference. `false`: it refuses it. `undefined`: only the codec can tell, which may also make
 * something else of the value.
 *
 * Every function here that returns a check is that of one io-ts combinator. Where it has several parts, the first whose
 * check is not `true` decides: from there on io-ts may work on a copy.
 */
export type Check = (value: unknown) => boolean | undefined

const isRecord = t.UnknownRecord.is

/** A codec about which nothing is known. */
export const unsure: Check = () => undefined

/** io-ts compares with `!==`: what holds a `NaN` is copied. */
const unlessNaN =
  (is: (value: unknown) => boolean): Check =>
  (value) =>
    Number.isNaN(value) ? undefined : is(value)

/** Of io-ts's own codecs, by their `validate`: whichever codec has that function decodes like them, clones too. */
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

/** `t.literal`: gives the literal, not the value, which differ when they are 0 and -0. */
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

/** `t.exact` and `t.strict`: drop the own keys that `props` does not have. */
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
 * What is made only when a value first gets there. The definition of a `t.recursion` may refer to what does not exist
 * earlier, and running it renames a codec.
 */
export const lazy = (make: () => Check): Check => {
  let check: Check | undefined
  return (value) => {
    try {
      check ??= make()
    } catch {
      // Where a value gets here, io-ts throws as well; but a tag may lead it elsewhere.
      return undefined
    }
    return check(value)
  }
}

/** A key of an object, and what stands there. */
export interface Field {
  readonly key: string
  readonly check: Check
}

/** `t.type`: adds a key that is missing when its codec accepts `undefined`. */
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

/** `t.partial`: leaves alone what is `undefined`, unless its codec makes something of that. */
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
  /** Is it left alone when it is `undefined`? Found out once: most fields of most values are. */
  isSkipped: boolean | undefined
}

/** `t.record` over keys that are not known beforehand: drops those that the domain refuses. */
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

/** `t.tuple`: drops what is beyond its length. */
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

/** `t.union`: the first that accepts. */
export const union = (checks: ReadonlyArray<Check>): Check =>
  checks.reduceRight((others, check) => (value) => {
    const kept = check(value)
    return kept === false ? others(value) : kept
  })

/** `t.intersection`: all of them. */
export const intersection = (checks: ReadonlyArray<Check>): Check =>
  checks.reduceRight((others, check) => (value) => {
    const kept = check(value)
    return kept === true ? others(value) : kept
  })

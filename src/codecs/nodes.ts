import * as t from 'io-ts'

/**
 * What a compiled codec is made of: how one part of it decodes. Every function here that returns a node is one io-ts
 * combinator, and does what the `validate` of that combinator does to a value that it accepts: it returns the same
 * reference in the same cases, and else copies in the same way.
 */
export interface Node {
  /** Kinds of values that are accepted and returned as they are, whatever their content. */
  readonly keeps: number
  /** Kinds of values that are certainly refused, and without calling any code of the user. */
  readonly refuses: number
  /** Is a codec reached from here that has to be called, and hence needs its context? */
  readonly contextual: boolean
  /** Decodes a value of any kind that is not in `keeps`; {@link FAIL} when it is refused. */
  readonly decode: (value: unknown, place: Place) => unknown
}

/** A codec and its node: what a combinator is told about its parts. */
export interface Part {
  readonly codec: t.Any
  readonly node: Node
}

/** A place in the value: the context of io-ts, which costs an array at each step, built only when someone asks. */
export type Place = t.Context | Step

interface Step {
  readonly above: Place
  readonly key: string
  readonly codec: t.Any
  readonly actual: unknown
}

/** What a node returns for a value that it refuses. No codec can know it, so no codec can return it. */
export const FAIL = Symbol('refused')

// ── kinds of values, as bits

const STRING = 1
const NUMBER = 2
const BOOLEAN = 4
const NULL = 8
const UNDEFINED = 16
/** Arrays too. */
const OBJECT = 32
const FUNCTION = 64
const BIGINT = 128
const SYMBOL = 256
/** Not a {@link NUMBER}: io-ts compares with `!==`, so that what holds a `NaN` is always copied. */
const NAN = 512
const ALL = 1023

/** The most frequent kinds first: this runs once for every field that is looked at. */
const kindOf = (value: unknown): number => {
  if (value === undefined) return UNDEFINED
  if (value === null) return NULL
  switch (typeof value) {
    case 'string':
      return STRING
    case 'object':
      return OBJECT
    case 'number':
      return Number.isNaN(value) ? NAN : NUMBER
    case 'boolean':
      return BOOLEAN
    case 'function':
      return FUNCTION
    case 'bigint':
      return BIGINT
    default:
      return SYMBOL
  }
}

/** Decodes a value of any kind. */
export const run = (node: Pick<Node, 'keeps' | 'decode'>, value: unknown, place: Place): unknown =>
  (node.keeps & kindOf(value)) !== 0 ? value : node.decode(value, place)

/** A part under the key that it has in the context, with what its node holds at hand: that saves a load at each step. */
interface Child extends Omit<Node, 'refuses'> {
  readonly key: string
  readonly codec: t.Any
}

const childOf = ({ codec, node: { keeps, contextual, decode } }: Part, key: string): Child => ({
  key,
  codec,
  keeps,
  contextual,
  decode,
})

/** The place of a child; only one that needs its context has one of its own. */
const below = (above: Place, child: Child, actual: unknown): Place =>
  child.contextual ? { above, key: child.key, codec: child.codec, actual } : above

/** The same for a part whose key is known only now. */
const at = (above: Place, part: Part, key: string | number, actual: unknown): Place =>
  part.node.contextual ? { above, key: String(key), codec: part.codec, actual } : above

const contextOf = (place: Place): t.Context =>
  'above' in place ? t.appendContext(contextOf(place.above), place.key, place.codec, place.actual) : place

// ── leaves

const refuse = (): unknown => FAIL

const keep = (value: unknown): unknown => value

const leaf = (keeps: number): Node => ({ keeps, refuses: ALL & ~keeps, contextual: false, decode: refuse })

/** By the `validate` of io-ts's own codecs: whichever codec has that function is decoded this way, also by clones. */
export const leaves: ReadonlyMap<unknown, Node> = new Map<unknown, Node>([
  [t.string.validate, leaf(STRING)],
  [
    t.number.validate,
    {
      keeps: NUMBER,
      refuses: ALL & ~(NUMBER | NAN),
      contextual: false,
      decode: (value) => (typeof value === 'number' ? value : FAIL),
    },
  ],
  [t.boolean.validate, leaf(BOOLEAN)],
  [t.bigint.validate, leaf(BIGINT)],
  [t.null.validate, leaf(NULL)],
  [t.undefined.validate, leaf(UNDEFINED)],
  [t.Function.validate, leaf(FUNCTION)],
  [t.object.validate, leaf(OBJECT)],
  [t.never.validate, leaf(0)],
  [t.unknown.validate, { keeps: ALL & ~NAN, refuses: 0, contextual: false, decode: keep }],
  [
    t.UnknownRecord.validate,
    {
      keeps: 0,
      refuses: ALL & ~OBJECT,
      contextual: false,
      decode: (value) => (isRecord(value) ? value : FAIL),
    },
  ],
  [
    t.UnknownArray.validate,
    {
      keeps: 0,
      refuses: ALL & ~OBJECT,
      contextual: false,
      decode: (value) => (Array.isArray(value) ? value : FAIL),
    },
  ],
])

/** `t.literal`: gives the literal, not the value, which differ when they are 0 and -0. */
export const literal = (expected: unknown): Node => ({
  keeps: 0,
  refuses: ALL & ~kindOf(expected),
  contextual: false,
  decode: (value) => (value === expected ? expected : FAIL),
})

/** `t.keyof`. */
export const keyof = (keys: object): Node => ({
  keeps: 0,
  refuses: ALL & ~STRING,
  contextual: false,
  decode: (value) => (typeof value === 'string' && Object.hasOwn(keys, value) ? value : FAIL),
})

/** A codec about which nothing is known: its own `validate`, with the context that io-ts would give it. */
export const opaque = (codec: t.Any): Node => ({
  keeps: 0,
  refuses: 0,
  contextual: true,
  decode: (value, place) => {
    const decoded = codec.validate(value, contextOf(place))
    return decoded._tag === 'Left' ? FAIL : decoded.right
  },
})

// ── wrappers

/** `t.refinement` and `t.brand`. */
export const refined = (inner: Node, predicate: (value: unknown) => unknown): Node => {
  const { keeps, refuses, contextual, decode } = inner
  return {
    keeps: 0,
    refuses,
    contextual,
    decode: (value, place) => {
      const decoded = (keeps & kindOf(value)) !== 0 ? value : decode(value, place)
      return decoded !== FAIL && predicate(decoded) ? decoded : FAIL
    },
  }
}

/** `t.exact` and `t.strict`: without the own keys that `props` does not have. */
export const exact = (inner: Node, props: object): Node => ({
  keeps: 0,
  refuses: inner.refuses | (ALL & ~OBJECT),
  contextual: inner.contextual,
  decode: (value, place) => {
    if (!isRecord(value)) return FAIL
    const decoded = run(inner, value, place)
    return decoded === FAIL ? FAIL : strip(decoded, props)
  },
})

const strip = (value: unknown, props: object): unknown => {
  const keys = Object.getOwnPropertyNames(value)
  if (keys.every((key) => Object.hasOwn(props, key))) return value
  const source: Readonly<Record<string, unknown>> = Object(value)
  const stripped: Record<string, unknown> = {}
  for (const key of keys) if (Object.hasOwn(props, key)) stripped[key] = source[key]
  return stripped
}

/**
 * `t.recursion`. As with io-ts, its definition runs when a value first gets there: it may refer to what does not exist
 * earlier, and running it renames a codec. What is in it is not known before, so it may need its context.
 *
 * @param define - gives the node of what is defined
 */
export const recursive = (define: () => Node): Node => {
  let inner: Node | undefined
  return {
    keeps: 0,
    refuses: 0,
    contextual: true,
    decode: (value, place) => {
      inner ??= define()
      return run(inner, value, place)
    },
  }
}

// ── objects

/**
 * `t.type` (required) and `t.partial`. A required key that is missing is added when its codec accepts `undefined`; an
 * optional one is left `undefined` when its codec refuses that, but a codec that makes something of it is asked.
 */
export const fields = (parts: ReadonlyMap<string, Part>, required: boolean): Node => {
  const children = [...parts].map(([key, part]) =>
    (required ? needed : optional)(childOf(part, key), part.node),
  )
  return {
    keeps: 0,
    refuses: ALL & ~OBJECT,
    contextual: children.some(({ contextual }) => contextual),
    decode: (value, place) => {
      if (!isRecord(value)) return FAIL
      let decoded = value
      for (const child of children) {
        const { key } = child
        // From the copy, once there is one: it lacks what the value inherits.
        const before = decoded[key]
        if ((child.keeps & kindOf(before)) !== 0) continue
        const after = child.decode(before, below(place, child, before))
        if (after === FAIL) {
          if (required || before !== undefined) return FAIL
        } else if (after !== before || (required && after === undefined && !Object.hasOwn(decoded, key))) {
          // Not a spread, which would keep an own `__proto__` that assigning loses.
          if (decoded === value) decoded = Object.assign({}, value)
          decoded[key] = after
        }
      }
      return decoded
    },
  }
}

/** A required key that may be `undefined` is looked at all the same: it may be missing. */
const needed = ({ key, codec, keeps, contextual, decode }: Child): Child =>
  (keeps & UNDEFINED) === 0
    ? { key, codec, keeps, contextual, decode }
    : {
        key,
        codec,
        keeps: keeps & ~UNDEFINED,
        contextual,
        decode: (value, place) => (value === undefined ? undefined : decode(value, place)),
      }

const optional = ({ key, codec, keeps, contextual, decode }: Child, { refuses }: Node): Child => ({
  key,
  codec,
  keeps: keeps | (refuses & UNDEFINED),
  contextual,
  decode,
})

/** `t.record` over keys that are not known beforehand: drops those which the domain refuses. */
export const record = (domain: Part, codomain: Part, arrays: boolean): Node => ({
  keeps: 0,
  refuses: ALL & ~OBJECT,
  contextual: domain.node.contextual || codomain.node.contextual,
  decode: (value, place) => {
    if (!isRecord(value)) return arrays && Array.isArray(value) ? value : FAIL
    const keys = Object.keys(value)
    let decoded: Record<PropertyKey, unknown> | undefined
    let changed = false
    for (const [index, key] of keys.entries()) {
      const before = value[key]
      const name = run(domain.node, key, at(place, domain, key, key))
      const known = name !== FAIL
      const after = known ? run(codomain.node, before, at(place, codomain, String(name), before)) : before
      if (after === FAIL) return FAIL
      const differs = name !== key || after !== before
      changed ||= differs
      // What is collected has -0 where a codec made it of 0; but that alone does not count as a change.
      if (decoded === undefined && (differs || !Object.is(after, before))) {
        decoded = {}
        for (const kept of keys.slice(0, index)) decoded[kept] = value[kept]
      }
      if (decoded !== undefined && known) decoded[typeof name === 'symbol' ? name : String(name)] = after
    }
    return changed ? decoded : value
  },
})

// ── lists

/** `t.array` and `t.readonlyArray`. */
export const list = (item: Part): Node => {
  const { keeps, contextual, decode } = item.node
  return {
    keeps: 0,
    refuses: ALL & ~OBJECT,
    contextual,
    decode: (value, place) => {
      if (!Array.isArray(value)) return FAIL
      const given: ReadonlyArray<unknown> = value
      let decoded: Array<unknown> = value
      for (let index = 0; index < given.length; index += 1) {
        const before = given[index]
        if ((keeps & kindOf(before)) !== 0) continue
        const after = decode(before, at(place, item, index, before))
        if (after === FAIL) return FAIL
        if (after !== before) {
          if (decoded === value) decoded = given.slice()
          decoded[index] = after
        }
      }
      return decoded
    },
  }
}

/** `t.tuple`: drops what is beyond its length. */
export const tuple = (parts: ReadonlyArray<Part>): Node => {
  const children = parts.map((part, index) => childOf(part, String(index)))
  return {
    keeps: 0,
    refuses: ALL & ~OBJECT,
    contextual: children.some(({ contextual }) => contextual),
    decode: (value, place) => {
      if (!Array.isArray(value)) return FAIL
      const given: ReadonlyArray<unknown> = value
      let decoded: Array<unknown> = given.length > children.length ? given.slice(0, children.length) : value
      for (const [index, child] of children.entries()) {
        const before = given[index]
        const after = run(child, before, below(place, child, before))
        if (after === FAIL) return FAIL
        if (after !== before) {
          if (decoded === value) decoded = given.slice()
          decoded[index] = after
        }
      }
      return decoded
    },
  }
}

// ── several codecs for one value

/** `t.union`: the first that accepts. */
export const union = (parts: ReadonlyArray<Part>): Node => {
  let keeps = 0
  // Kinds that every part so far refuses.
  let refuses = ALL
  for (const { node } of parts) {
    keeps |= refuses & node.keeps
    refuses &= node.refuses
  }
  const open = ALL & ~(keeps | refuses)
  const asked = parts.flatMap((part, index) =>
    (open & ~part.node.refuses) === 0 ? [] : [childOf(part, String(index))],
  )
  const contextual = asked.some((child) => child.contextual)
  const [only, ...others] = asked
  if (only === undefined) return { keeps, refuses, contextual, decode: refuse }
  // As with `t.union([codec, t.null])`.
  if (others.length === 0 && !contextual) return { keeps, refuses, contextual, decode: only.decode }
  return {
    keeps,
    refuses,
    contextual,
    decode: (value, place) => {
      for (const child of asked) {
        const decoded = run(child, value, below(place, child, value))
        if (decoded !== FAIL) return decoded
      }
      return FAIL
    },
  }
}

/** `t.union` of objects that a literal under the key `tag` tells apart: only the one that it names is asked. */
export const tagged = (
  tag: string,
  parts: ReadonlyArray<Part>,
  byTag: ReadonlyMap<unknown, number>,
): Node => {
  const children = new Map(
    [...byTag].flatMap(([value, index]) => {
      const part = parts[index]
      return part === undefined ? [] : [[value, childOf(part, String(index))] as const]
    }),
  )
  return {
    keeps: 0,
    refuses: ALL & ~OBJECT,
    contextual: parts.some(({ node }) => node.contextual),
    decode: (value, place) => {
      if (!isRecord(value)) return FAIL
      const child = children.get(value[tag])
      return child === undefined ? FAIL : run(child, value, below(place, child, value))
    },
  }
}

/** `t.intersection`: all of them, each given the value itself; what they changed is merged. */
export const intersection = (parts: ReadonlyArray<Part>): Node => {
  const keeps = parts.reduce((kinds, { node }) => kinds & node.keeps, ALL)
  const known = parts.reduce((kinds, { node }) => kinds & (node.keeps | node.refuses), ALL)
  const children = parts.map((part, index) => childOf(part, String(index)))
  return {
    keeps,
    refuses: known & ~keeps,
    contextual: children.some(({ contextual }) => contextual),
    decode: (value, place) => {
      const kind = kindOf(value)
      let results: Array<unknown> | undefined
      let count = 0
      for (const child of children) {
        const decoded = (child.keeps & kind) !== 0 ? value : child.decode(value, below(place, child, value))
        if (decoded === FAIL) return FAIL
        if (results !== undefined) results.push(decoded)
        else if (decoded !== value) results = [...Array(count).fill(value), decoded]
        count += 1
      }
      return results === undefined ? value : merge(value, results)
    },
  }
}

/** io-ts's `mergeAll`, which it does not export: later parts win, but only with what they changed. */
const merge = (base: unknown, results: ReadonlyArray<unknown>): unknown => {
  if (!results.some(isRecord)) return results.at(-1)
  const merged: Record<string, unknown> = {}
  for (const result of results) {
    // A result may also be a primitive, which `for … in` of io-ts takes apart like this.
    const source: Readonly<Record<string, unknown>> = Object(result)
    for (const key in source) {
      const value = source[key]
      if (!Object.hasOwn(merged, key) || !isRecord(base) || value !== base[key]) merged[key] = value
    }
  }
  return merged
}

/** What `t.UnknownRecord` accepts. */
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

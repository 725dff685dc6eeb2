import * as t from 'io-ts'
import {
  exact,
  FAIL,
  fields,
  intersection,
  keyof,
  leaves,
  list,
  literal,
  type Node,
  opaque,
  type Part,
  record,
  recursive,
  refined,
  run,
  tagged,
  tuple,
  union,
} from './nodes.js'

/**
 * Compiles a codec, so that it decodes what is valid at a fraction of the cost. The io-ts codec stays the definition:
 * the compiled one decodes every value to the same side and the same value (the same reference where io-ts keeps it,
 * the same order of keys where it copies), and a value that is refused goes to the codec itself, whose errors these
 * are. It has the same name, guard, encoder and static types, and can be a part of other codecs.
 *
 * The codec is walked at the first decode, once, and becomes closures: nothing is evaluated from text, so that this
 * works under a content security policy. Codecs that are not io-ts's own are called, with the context which io-ts
 * would give them; so are copies of io-ts's codecs whose `validate` is another one (as `withMessage` and
 * `withFallback` of io-ts-types make them), and codecs of a second copy of io-ts in the same program.
 *
 * Three things are taken for granted. Codecs and predicates are pure and do not throw: one may be called twice, or not
 * at all once another has refused the value. Codecs are not changed any more. And the fields of an io-ts codec (`props`,
 * `types`, …) are what its `validate` was made from.
 *
 * @param codec - any io-ts codec; when it is not io-ts's own, it is returned as it is
 * @returns a copy of the codec, of the same class, that decodes fast
 * @example
 * const User = compile(t.intersection([t.type({ id: t.string }), t.partial({ age: t.number })], 'User'))
 * User.decode({ id: 'a' }) // right({ id: 'a' })
 */
export const compile = <C extends t.Any>(codec: C): C => {
  if (originals.has(codec.validate) || combinatorOf(codec) === undefined || !hasOwnDecode(codec)) return codec
  let root: Node | undefined

  const validate = (value: unknown, context: t.Context): t.Validation<t.TypeOf<C>> => {
    if (explaining) return codec.validate(value, context)
    root ??= build(codec)
    const decoded = run(root, value, context)
    return decoded === FAIL ? explain(() => codec.validate(value, context)) : success<C>(decoded)
  }

  const decode = (value: unknown): t.Validation<t.TypeOf<C>> => {
    if (explaining) return codec.decode(value)
    root ??= build(codec)
    const place = root.contextual ? [{ key: '', type: codec, actual: value }] : NOWHERE
    const decoded = run(root, value, place)
    return decoded === FAIL ? explain(() => codec.decode(value)) : success<C>(decoded)
  }

  // It has the class and all fields of the codec, so it is a C: the two other functions have the types of those.
  const compiled: C = Object.assign(Object.create(Object.getPrototypeOf(codec)), codec, { validate, decode })
  originals.set(validate, codec)
  return compiled
}

/** What the nodes of a codec return is what the codec decodes to: each does what its combinator does. */
const success = <C extends t.Any>(decoded: unknown): t.Validation<t.TypeOf<C>> =>
  t.success(decoded as t.TypeOf<C>)

/** From the `validate` of a compiled codec to the codec, so that compiled parts of a codec are walked, not called. */
const originals = new WeakMap<object, t.Any>()

const NOWHERE: t.Context = []

/**
 * Is a codec being asked for its errors? Then the compiled codecs within it pass the question on at once. They would
 * come to the same, but trying first at each level again doubles the work with each level of a recursive codec.
 */
let explaining = false

const explain = <A>(validate: () => A): A => {
  explaining = true
  try {
    return validate()
  } finally {
    explaining = false
  }
}

// ── which codecs are io-ts's own

/** The combinators of io-ts, each by a codec that it made. */
const samples = () =>
  ({
    literal: t.literal('a'),
    keyof: t.keyof({ a: null }),
    refinement: t.refinement(t.string, () => true),
    exact: t.exact(t.type({})),
    recursion: t.recursion('', () => t.string),
    type: t.type({}),
    partial: t.partial({}),
    record: t.record(t.string, t.string),
    array: t.array(t.string),
    tuple: t.tuple([t.string]),
    union: t.union([t.string, t.number]),
    tagged: t.union([t.type({ tag: t.literal('a') }), t.type({ tag: t.literal('b') })]),
    intersection: t.intersection([t.string, t.string]),
  }) satisfies Readonly<Record<string, t.Mixed>>

let combinators: ReadonlyMap<string, string> | undefined

/**
 * Which combinator of io-ts made the `validate` of a codec. The class and `_tag` of a codec cannot tell, because a
 * copy keeps them when its `validate` is another one; but functions made at the same place have the same text.
 */
const combinatorOf = (codec: t.Any): string | undefined => {
  if (combinators === undefined) {
    const texts = Object.entries(samples()).map(([name, sample]) => [textOf(sample), name] as const)
    const found = new Map(texts)
    // Some engines hide the text of functions: all are alike, and nothing can be told.
    combinators = found.size === texts.length ? found : new Map()
  }
  return combinators.get(textOf(codec))
}

const textOf = (codec: t.Any): string => Function.prototype.toString.call(codec.validate)

/** Is `decode` that of io-ts's class, which calls `validate`? io-ts binds it to each codec. */
const hasOwnDecode = (codec: t.Any): boolean =>
  Reflect.get(Object.getPrototypeOf(codec), 'decode') === t.Type.prototype.decode &&
  codec.decode.name === `bound ${t.Type.prototype.decode.name}`

// ── from codecs to nodes

/** The nodes made so far: a part that occurs again is the same node. */
type Walk = Map<t.Any, Node>

const build = (codec: t.Any): Node => nodeOf(codec, new Map())

const nodeOf = (codec: t.Any, walk: Walk): Node => {
  const visited = walk.get(codec)
  if (visited !== undefined) return visited
  const node = describe(codec, walk) ?? opaque(codec)
  walk.set(codec, node)
  return node
}

const partOf = (codec: t.Any, walk: Walk): Part => ({ codec, node: nodeOf(codec, walk) })

const partsOf = (codecs: ReadonlyArray<t.Any>, walk: Walk): ReadonlyArray<Part> =>
  codecs.map((codec) => partOf(codec, walk))

const fieldsOf = (props: t.AnyProps, required: boolean, walk: Walk): Node =>
  fields(new Map(Object.entries(props).map(([key, codec]) => [key, partOf(codec, walk)])), required)

/** The node of a codec, unless it is not io-ts's own. */
const describe = (codec: t.Any, walk: Walk): Node | undefined => {
  const original = originals.get(codec.validate)
  if (original !== undefined) return nodeOf(original, walk)
  const leaf = leaves.get(codec.validate)
  if (leaf !== undefined) return leaf
  if (codec instanceof t.ReadonlyType)
    return codec.validate === codec.type.validate ? nodeOf(codec.type, walk) : undefined
  switch (combinatorOf(codec)) {
    case 'literal':
      return codec instanceof t.LiteralType ? literal(codec.value) : undefined
    case 'keyof':
      return codec instanceof t.KeyofType ? keyof(codec.keys) : undefined
    case 'refinement':
      return codec instanceof t.RefinementType
        ? refined(nodeOf(codec.type, walk), codec.predicate)
        : undefined
    case 'recursion':
      return codec instanceof t.RecursiveType ? recursive(() => nodeOf(codec.type, walk)) : undefined
    case 'type':
      return codec instanceof t.InterfaceType ? fieldsOf(codec.props, true, walk) : undefined
    case 'partial':
      return codec instanceof t.PartialType ? fieldsOf(codec.props, false, walk) : undefined
    case 'exact':
      if (codec instanceof t.ExactType) return exactOf(codec, walk)
      return codec instanceof t.DictionaryType ? closedRecordOf(codec, walk) : undefined
    case 'record':
      return codec instanceof t.DictionaryType
        ? record(partOf(codec.domain, walk), partOf(codec.codomain, walk), codec.codomain._tag === 'AnyType')
        : undefined
    case 'array':
      return codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType
        ? list(partOf(codec.type, walk))
        : undefined
    case 'tuple':
      return codec instanceof t.TupleType ? tuple(partsOf(codec.types, walk)) : undefined
    case 'union':
      return codec instanceof t.UnionType ? union(partsOf(codec.types, walk)) : undefined
    case 'tagged':
      return codec instanceof t.TaggedUnionType ? taggedOf(codec, walk) : undefined
    case 'intersection':
      return codec instanceof t.IntersectionType ? intersection(partsOf(codec.types, walk)) : undefined
    default:
      return undefined
  }
}

const exactOf = (codec: t.ExactType<t.Any>, walk: Walk): Node | undefined => {
  const props = propsOf(codec.type)
  return props === undefined ? undefined : exact(nodeOf(codec.type, walk), props)
}

/** The keys that io-ts's `exact` keeps. */
const propsOf = (codec: t.Any): object | undefined => {
  if (codec instanceof t.RefinementType || codec instanceof t.ReadonlyType) return propsOf(codec.type)
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return codec.props
  if (!(codec instanceof t.IntersectionType)) return undefined
  const parts: ReadonlyArray<t.Any> = codec.types
  const props = parts.map(propsOf)
  return props.includes(undefined) ? undefined : Object.assign({}, ...props)
}

/** A record whose keys are known is, with io-ts, a `t.strict` with the same codec for each. */
const closedRecordOf = (codec: t.DictionaryType<t.Any, t.Any>, walk: Walk): Node | undefined => {
  const keys = keysOf(codec.domain)
  if (keys === undefined) return undefined
  const props: Record<string, t.Any> = {}
  for (const key of keys) props[key] = codec.codomain
  return exact(fieldsOf(props, true, walk), props)
}

const keysOf = (domain: t.Any): ReadonlyArray<string> | undefined => {
  if (domain instanceof t.LiteralType) return typeof domain.value === 'string' ? [domain.value] : undefined
  if (domain instanceof t.KeyofType) return Object.keys(domain.keys)
  if (!(domain instanceof t.UnionType)) return undefined
  const parts: ReadonlyArray<t.Any> = domain.types
  const keys = parts.map(keysOf)
  return keys.every((each) => each !== undefined) ? [...new Set(keys.flat())] : undefined
}

const taggedOf = (codec: t.TaggedUnionType<string, Array<t.Any>>, walk: Walk): Node | undefined => {
  const byTag = new Map<unknown, number>()
  for (const [index, part] of codec.types.entries()) {
    const values = valuesOf(part, codec.tag, [])
    if (values === undefined || values.some((value) => byTag.has(value))) return undefined
    for (const value of values) byTag.set(value, index)
  }
  return tagged(codec.tag, partsOf(codec.types, walk), byTag)
}

/** The literals that io-ts finds under a key of a codec, unless it is unclear which it finds. */
const valuesOf = (
  codec: t.Any,
  key: string,
  above: ReadonlyArray<t.Any>,
): ReadonlyArray<unknown> | undefined => {
  if (codec instanceof t.InterfaceType) {
    const literal: unknown = codec.props[key]
    return literal instanceof t.LiteralType ? [literal.value] : undefined
  }
  if (codec instanceof t.RecursiveType)
    return above.includes(codec) ? undefined : valuesOf(codec.type, key, [...above, codec])
  if (codec instanceof t.ExactType || codec instanceof t.RefinementType || codec instanceof t.ReadonlyType)
    return valuesOf(codec.type, key, above)
  if (!(codec instanceof t.UnionType) && !(codec instanceof t.IntersectionType)) return undefined
  const parts: ReadonlyArray<t.Any> = codec.types
  const values = parts.map((part) => valuesOf(part, key, above))
  if (codec instanceof t.UnionType)
    return values.every((each) => each !== undefined) ? values.flat() : undefined
  const [only, ...others] = values.filter((each) => each !== undefined)
  return others.length === 0 ? only : undefined
}

import * as t from 'io-ts'
import {
  type Check,
  exact,
  type Field,
  intersection,
  keyof,
  lazy,
  leaves,
  list,
  literal,
  partial,
  record,
  refined,
  tuple,
  type,
  union,
  unsure,
} from './checks.js'

/**
 * Compiles a codec, so that it decodes what is valid at a fraction of the cost. The io-ts codec stays the definition: a
 * check tells the values which it certainly accepts and gives back as they are, and every other value goes to the codec
 * itself, whose results and errors these are. The compiled codec has the same name, guard, encoder and static types, and
 * can be a part of other codecs.
 *
 * The codec is walked at the first decode, once, and becomes closures: nothing is evaluated from text, so that this
 * works under a content security policy. What is not io-ts's own is left to the codec: custom codecs, copies of io-ts's
 * codecs whose `validate` is another one (as `withMessage` and `withFallback` of io-ts-types make them), and codecs of a
 * second copy of io-ts in the same program.
 *
 * Three things are taken for granted. Predicates are pure and do not throw: one may be called twice, or not at all.
 * Codecs are not changed any more. And the fields of an io-ts codec (`props`, `types`, …) are what its `validate` was
 * made from.
 *
 * @param codec - any io-ts codec; when it is not io-ts's own, it is returned as it is
 * @returns a copy of the codec, of the same class, that decodes fast
 * @example
 * const User = compile(t.intersection([t.type({ id: t.string }), t.partial({ age: t.number })], 'User'))
 * User.decode({ id: 'a' }) // right({ id: 'a' })
 */
export const compile = <C extends t.Any>(codec: C): C => {
  if (!hasOwnValidate(codec) || !hasOwnDecode(codec)) return codec
  const check = lazy(() => checkOf(codec))

  /** What is kept as it is is what the codec decodes to. */
  const certain = (value: unknown): t.Validation<t.TypeOf<C>> | undefined =>
    !asking && check(value) === true ? t.success(value as t.TypeOf<C>) : undefined
  const validate = (value: unknown, context: t.Context): t.Validation<t.TypeOf<C>> =>
    certain(value) ?? ask(() => codec.validate(value, context))
  const decode = (value: unknown): t.Validation<t.TypeOf<C>> =>
    certain(value) ?? ask(() => codec.decode(value))
  // It has the class and all fields of the codec, so it is a C: the two other functions have the types of those.
  const compiled: C = Object.assign(Object.create(Object.getPrototypeOf(codec)), codec, { validate, decode })
  checks.set(validate, check)
  return compiled
}

/**
 * Is a codec being asked? Then the compiled codecs within it pass the question on at once. They would come to the same,
 * but checking first at each level again doubles the work with each level of a recursive codec.
 */
let asking = false

const ask = <A>(question: () => A): A => {
  if (asking) return question()
  asking = true
  try {
    return question()
  } finally {
    asking = false
  }
}

// ── which codecs are io-ts's own

/** A codec of each combinator of io-ts. */
const samples = (): ReadonlyArray<t.Any> => [
  t.literal('a'),
  t.keyof({ a: null }),
  t.refinement(t.string, () => true),
  t.exact(t.type({})),
  t.recursion('', () => t.string),
  t.type({}),
  t.partial({}),
  t.record(t.string, t.string),
  t.array(t.string),
  t.tuple([t.string]),
  t.union([t.string, t.number]),
  t.union([t.type({ tag: t.literal('a') }), t.type({ tag: t.literal('b') })]),
  t.intersection([t.string, t.string]),
]

let ownTexts: ReadonlySet<string> | undefined

/**
 * Did a combinator of io-ts make the `validate` of a codec? The class and `_tag` of a codec cannot tell, because a copy
 * keeps them when its `validate` is another one; but functions made at the same place have the same text.
 */
const hasOwnValidate = (codec: t.Any): boolean => {
  if (ownTexts === undefined) {
    const texts = samples().map(textOf)
    const found = new Set(texts)
    // Some engines hide the text of functions: all are alike, and nothing can be told.
    ownTexts = found.size === texts.length ? found : new Set()
  }
  return ownTexts.has(textOf(codec))
}

const textOf = (codec: t.Any): string => Function.prototype.toString.call(codec.validate)

/** Is `decode` that of io-ts's class, which calls `validate`? io-ts binds it to each codec. */
const hasOwnDecode = (codec: t.Any): boolean =>
  Reflect.get(Object.getPrototypeOf(codec), 'decode') === t.Type.prototype.decode &&
  codec.decode.name === `bound ${t.Type.prototype.decode.name}`

// ── from codecs to checks

/** By the `validate` of a codec. */
const checks = new WeakMap<t.Any['validate'], Check>(leaves)

const checkOf = (codec: t.Any): Check => {
  const known = checks.get(codec.validate)
  if (known !== undefined) return known
  const check = hasOwnValidate(codec) ? build(codec) : unsure
  checks.set(codec.validate, check)
  return check
}

const build = (codec: t.Any): Check => {
  if (codec instanceof t.ReadonlyType)
    return codec.validate === codec.type.validate ? checkOf(codec.type) : unsure
  if (codec instanceof t.LiteralType) return literal(codec.value)
  if (codec instanceof t.KeyofType) return keyof(codec.keys)
  if (codec instanceof t.RefinementType) return refined(checkOf(codec.type), codec.predicate)
  if (codec instanceof t.RecursiveType) return lazy(() => checkOf(codec.type))
  if (codec instanceof t.InterfaceType) return type(fieldsOf(codec.props))
  if (codec instanceof t.PartialType) return partial(fieldsOf(codec.props))
  if (codec instanceof t.ExactType) return exactOf(codec)
  if (codec instanceof t.DictionaryType) return recordOf(codec)
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return list(checkOf(codec.type))
  if (codec instanceof t.TupleType) return tuple(codec.types.map(checkOf))
  // One told apart by a tag too: every part but the one that is meant refuses the tag.
  if (codec instanceof t.UnionType) return union(codec.types.map(checkOf))
  return codec instanceof t.IntersectionType ? intersection(codec.types.map(checkOf)) : unsure
}

const fieldsOf = (props: t.AnyProps): ReadonlyArray<Field> =>
  Object.entries(props).map(([key, codec]) => ({ key, check: checkOf(codec) }))

const exactOf = ({ type }: t.ExactType<t.Any>): Check => {
  const props = propsOf(type)
  return props === undefined ? unsure : exact(checkOf(type), props)
}

/** The fields of an object that a codec names, as io-ts's `exact` finds them; nothing when it is no such codec. */
const propsOf = (codec: t.Any): t.AnyProps | undefined => {
  if (codec instanceof t.RefinementType || codec instanceof t.ReadonlyType) return propsOf(codec.type)
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return codec.props
  if (!(codec instanceof t.IntersectionType)) return undefined
  const parts: ReadonlyArray<t.Any> = codec.types
  const props = parts.map(propsOf)
  return props.includes(undefined) ? undefined : Object.assign({}, ...props)
}

const recordOf = ({ domain, codomain }: t.DictionaryType<t.Any, t.Any>): Check => {
  const keys = keysOf(domain)
  if (keys === undefined) return record(checkOf(domain), checkOf(codomain), codomain instanceof t.AnyType)
  // With io-ts, a record whose keys are known is a `t.strict` with the same codec for each.
  const props: Record<string, t.Any> = {}
  for (const key of keys) props[key] = codomain
  return exact(type(fieldsOf(props)), props)
}

/** The keys of a record, when its domain names them. */
const keysOf = (domain: t.Any): ReadonlyArray<string> | undefined => {
  if (domain instanceof t.LiteralType) return typeof domain.value === 'string' ? [domain.value] : undefined
  if (domain instanceof t.KeyofType) return Object.keys(domain.keys)
  if (!(domain instanceof t.UnionType)) return undefined
  const parts: ReadonlyArray<t.Any> = domain.types
  const keys = parts.map(keysOf)
  return keys.every((each) => each !== undefined) ? keys.flat() : undefined
}

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
 * Compiles a codec, so that it decodes valid values at a fraction of the cost. The io-ts codec remains the definition: a
 * check recognises the values that the codec certainly accepts and returns unchanged, and every other value goes to the
 * codec itself, so all other results and errors are its own. The compiled codec has the same name, guard, encoder and
 * static types, and can be part of other codecs.
 *
 * The codec is walked once, at the first decode, and turned into closures: no code is generated, so this works under a
 * content security policy. Whatever io-ts did not make itself is left to the codec: custom codecs, copies of io-ts's
 * codecs with another `validate` (as `withMessage` and `withFallback` of io-ts-types make them), and codecs of a second
 * copy of io-ts in the same program.
 *
 * There are three assumptions. Predicates are pure and do not throw: one may be called twice, or not at all. Codecs are
 * not mutated after they are compiled. And the fields of an io-ts codec (`props`, `types`, …) are what its `validate`
 * was made from.
 *
 * @param codec - any io-ts codec; one that io-ts did not make itself is returned as it is
 * @returns a copy of the codec, of the same class, that decodes fast
 * @example
 * const User = compile(t.intersection([t.type({ id: t.string }), t.partial({ age: t.number })], 'User'))
 * User.decode({ id: 'a' }) // right({ id: 'a' })
 */
export const compile = <C extends t.Any>(codec: C): C => {
  if (!hasOwnValidate(codec) || !hasOwnDecode(codec)) return codec
  const check = lazy(() => checkOf(codec))

  /** A value that passes the check is what the codec decodes it to, hence the cast. */
  const certain = (value: unknown): t.Validation<t.TypeOf<C>> | undefined =>
    !asking && check(value) === true ? t.success(value as t.TypeOf<C>) : undefined
  const validate = (value: unknown, context: t.Context): t.Validation<t.TypeOf<C>> =>
    certain(value) ?? ask(() => codec.validate(value, context))
  const decode = (value: unknown): t.Validation<t.TypeOf<C>> =>
    certain(value) ?? ask(() => codec.decode(value))
  // It has the class and all fields of the codec, and the two functions that it replaces keep their types: it is a C.
  const compiled: C = Object.assign(Object.create(Object.getPrototypeOf(codec)), codec, { validate, decode })
  checks.set(validate, check)
  return compiled
}

/**
 * Whether an io-ts codec is running. Then the compiled codecs within it skip their checks: the result is the same, but
 * checking again at each level would double the work with each level of a recursive codec.
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

/** One codec of each io-ts combinator. */
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
 * Whether an io-ts combinator made the `validate` of a codec. The class and `_tag` cannot tell, because a copy with
 * another `validate` keeps them; but functions created at the same place in the source have the same text.
 */
const hasOwnValidate = (codec: t.Any): boolean => {
  if (ownTexts === undefined) {
    const texts = samples().map(textOf)
    const found = new Set(texts)
    // Some engines hide the source of functions, which makes all texts equal and useless.
    ownTexts = found.size === texts.length ? found : new Set()
  }
  return ownTexts.has(textOf(codec))
}

const textOf = (codec: t.Any): string => Function.prototype.toString.call(codec.validate)

/** Whether `decode` is that of io-ts's class, which calls `validate`. io-ts binds it to each codec. */
const hasOwnDecode = (codec: t.Any): boolean =>
  Reflect.get(Object.getPrototypeOf(codec), 'decode') === t.Type.prototype.decode &&
  codec.decode.name === `bound ${t.Type.prototype.decode.name}`

// ── from codecs to checks

/** The checks that are known, by the `validate` of their codec. */
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
  if (codec instanceof t.InterfaceType) return type(fieldChecks(codec.props))
  if (codec instanceof t.PartialType) return partial(fieldChecks(codec.props))
  if (codec instanceof t.ExactType) return exactOf(codec)
  if (codec instanceof t.DictionaryType) return recordOf(codec)
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return list(checkOf(codec.type))
  if (codec instanceof t.TupleType) return tuple(codec.types.map(checkOf))
  // This also serves tagged unions: every branch but the one that is meant refuses the tag.
  if (codec instanceof t.UnionType) return union(codec.types.map(checkOf))
  return codec instanceof t.IntersectionType ? intersection(codec.types.map(checkOf)) : unsure
}

const fieldChecks = (props: t.AnyProps): ReadonlyArray<Field> =>
  Object.entries(props).map(([key, codec]) => ({ key, check: checkOf(codec) }))

const exactOf = ({ type }: t.ExactType<t.Any>): Check => {
  const props = propsOf(type)
  return props === undefined ? unsure : exact(checkOf(type), props)
}

/** The fields of an object codec, found in the same way as io-ts's `exact` does; `undefined` for any other codec. */
const propsOf = (codec: t.Any): t.AnyProps | undefined => {
  if (codec instanceof t.RefinementType || codec instanceof t.ReadonlyType) return propsOf(codec.type)
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return codec.props
  if (!(codec instanceof t.IntersectionType)) return undefined
  const parts: ReadonlyArray<t.Any> = codec.types
  const props = parts.map(propsOf)
  return props.includes(undefined) ? undefined : Object.assign({}, ...props)
}

const recordOf = ({ domain, codomain }: t.DictionaryType<t.Any, t.Any>): Check => {
  const keys = domainKeys(domain)
  if (keys === undefined) return record(checkOf(domain), checkOf(codomain), codomain instanceof t.AnyType)
  // To io-ts, a record whose keys are known is a `t.strict` with the same codec for each key.
  const props: Record<string, t.Any> = {}
  for (const key of keys) props[key] = codomain
  return exact(type(fieldChecks(props)), props)
}

/** The keys of a record, if its domain lists them. */
const domainKeys = (domain: t.Any): ReadonlyArray<string> | undefined => {
  if (domain instanceof t.LiteralType) return typeof domain.value === 'string' ? [domain.value] : undefined
  if (domain instanceof t.KeyofType) return Object.keys(domain.keys)
  if (!(domain instanceof t.UnionType)) return undefined
  const parts: ReadonlyArray<t.Any> = domain.types
  const keys = parts.map(domainKeys)
  return keys.every((each) => each !== undefined) ? keys.flat() : undefined
}

import * as t from 'io-ts'
import { compile } from './compile.js'
import { Fields } from './Fields.js'

/**
 * Names a codec of this folder, makes its static type readonly, and compiles it: see {@link compile}.
 *
 * Every codec here describes JSON as it is on the wire and converts nothing, so that decoding and encoding are the
 * identity on valid values. Hence encoding returns its argument; io-ts's own encoder would copy objects, and lose an
 * own key `__proto__` of hostile JSON.
 *
 * Only for codecs that convert nothing: pass a converting codec to {@link decode} without wrapping it.
 *
 * @param codec - io-ts combinators over other codecs of this folder
 * @param name - the name that error messages show; default: the codec's own
 */
export const wire = <C extends t.Mixed>(codec: C, name = codec.name): t.ReadonlyC<C> =>
  compile(new t.ReadonlyType(name, codec.is, codec.validate, t.identity, codec))

/** Makes a codec from a type guard. */
export const guard = <A>(name: string, is: (value: unknown) => value is A): t.Type<A> =>
  new t.Type<A>(
    name,
    is,
    (value, context) => (is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  )

/**
 * Allows `null` as well, which many optional fields of the platform hold instead of being absent.
 *
 * @param codec - of a value that is not `null`
 */
export const nullable = <C extends t.Mixed>(codec: C): t.UnionC<[C, t.NullC]> =>
  t.union([codec, t.null], `${codec.name} or null`)

type Nullable<P extends t.Props> = { [Key in keyof P]: t.UnionC<[P[Key], t.NullC]> }

/**
 * The fields of a body that we receive: each of them may be absent or `null`.
 *
 * @param fields - the codecs of fields that are neither
 */
export const received = <P extends t.Props>(fields: P): t.PartialC<Nullable<P>> => {
  const entries = Object.entries(fields).map(([key, codec]) => [key, nullable(codec)])
  // The keys are those of the fields, which the type of Object.fromEntries cannot express.
  return t.partial(Object.fromEntries(entries) as Nullable<P>)
}

/**
 * A string from a closed list, for what we send. In what we receive, such a string stays open.
 *
 * @param values - the allowed strings
 */
export const oneOf = <const A extends readonly [string, ...ReadonlyArray<string>]>(
  ...values: A
): t.Type<A[number]> => {
  // The keys are exactly the values, which the type of Object.fromEntries cannot express.
  const keys = Object.fromEntries(values.map((value) => [value, null])) as Record<A[number], null>
  return t.keyof(keys, values.join(' | '))
}

/**
 * A finite number between two bounds, both inclusive.
 *
 * @param minimum - smallest allowed number
 * @param maximum - largest allowed number; default: no upper bound
 */
export const numberWithin = (minimum: number, maximum?: number): t.RefinementC<t.NumberC> =>
  t.refinement(t.number, within(minimum, maximum), `number ${range(minimum, maximum)}`)

/**
 * An integer between two bounds, both inclusive.
 *
 * @param minimum - smallest allowed number
 * @param maximum - largest allowed number; default: no upper bound
 */
export const integerWithin = (minimum: number, maximum?: number): t.RefinementC<t.NumberC> =>
  t.refinement(
    t.number,
    (value) => Number.isInteger(value) && within(minimum, maximum)(value),
    `integer ${range(minimum, maximum)}`,
  )

/** A finite number above zero. */
export const positive = t.refinement(
  t.number,
  (value) => Number.isFinite(value) && value > 0,
  'number above 0',
)

/** A finite number, as JSON can represent it: neither `NaN` nor an infinity. */
export const finite = t.refinement(t.number, Number.isFinite, 'finite number')

/** An integer of any sign. */
export const integer = t.refinement(t.number, Number.isInteger, 'integer')

/** A function. */
export const callable = t.refinement(t.unknown, (value) => typeof value === 'function', 'a function')

/** A list of values of a codec. */
export const listOf = <C extends t.Mixed>(codec: C): t.ReadonlyArrayC<C> =>
  t.readonlyArray(codec, `list of ${codec.name}`)

/** A list of JSON objects. */
export const objects = t.readonlyArray(Fields, 'list of objects')

/** A list of strings. */
export const strings = t.readonlyArray(t.string, 'list of strings')

const within =
  (minimum: number, maximum = Number.MAX_VALUE) =>
  (value: number): boolean =>
    value >= minimum && value <= maximum

const range = (minimum: number, maximum: number | undefined): string =>
  maximum === undefined ? `of at least ${minimum}` : `${minimum} to ${maximum}`

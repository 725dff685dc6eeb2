import * as t from 'io-ts'
import { compile } from './compile.js'
import { Fields } from './Fields.js'

/**
 * Names a codec of this folder, makes its static type readonly, and compiles it: see {@link compile}.
 *
 * Every codec here describes JSON as it is on the wire and converts nothing, so that decoding and encoding are the
 * identity on valid values. Hence encoding returns what it is given; io-ts's own encoder copies objects, and would
 * lose an own key `__proto__` of hostile JSON.
 *
 * Only for codecs which convert nothing: give a converting codec to {@link decode} as it is.
 *
 * @param codec - what is described; io-ts combinators over other codecs of this folder
 * @param name - the name that error messages show; default: that of the codec
 */
export const wire = <C extends t.Mixed>(codec: C, name = codec.name): t.ReadonlyC<C> =>
  compile(new t.ReadonlyType(name, codec.is, codec.validate, t.identity, codec))

/** A codec made of a type guard. */
export const guard = <A>(name: string, is: (value: unknown) => value is A): t.Type<A> =>
  new t.Type<A>(
    name,
    is,
    (value, context) => (is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  )

/**
 * The codec, or `null`, which many optional fields of the platform hold instead of being absent.
 *
 * @param codec - what is described when it is not `null`
 */
export const nullable = <C extends t.Mixed>(codec: C): t.UnionC<[C, t.NullC]> =>
  t.union([codec, t.null], `${codec.name} or null`)

type Nullable<P extends t.Props> = { [Key in keyof P]: t.UnionC<[P[Key], t.NullC]> }

/**
 * Fields of a body that we receive: each of them may be absent or `null`.
 *
 * @param fields - what is described where it is neither
 */
export const received = <P extends t.Props>(fields: P): t.PartialC<Nullable<P>> => {
  const entries = Object.entries(fields).map(([key, codec]) => [key, nullable(codec)])
  // The keys are those of the fields, which Object.fromEntries cannot say.
  return t.partial(Object.fromEntries(entries) as Nullable<P>)
}

/**
 * A string out of a closed list, as we send it. What we receive stays an open string.
 *
 * @param values - the allowed strings
 */
export const oneOf = <const A extends readonly [string, ...ReadonlyArray<string>]>(
  ...values: A
): t.Type<A[number]> => {
  // The keys are exactly the values, which Object.fromEntries cannot say.
  const keys = Object.fromEntries(values.map((value) => [value, null])) as Record<A[number], null>
  return t.keyof(keys, values.join(' | '))
}

/**
 * A finite number between two bounds, both included.
 *
 * @param minimum - smallest allowed number
 * @param maximum - largest allowed number; without it there is none
 */
export const numberWithin = (minimum: number, maximum?: number): t.RefinementC<t.NumberC> =>
  t.refinement(t.number, within(minimum, maximum), `number ${range(minimum, maximum)}`)

/**
 * A whole number between two bounds, both included.
 *
 * @param minimum - smallest allowed number
 * @param maximum - largest allowed number; without it there is none
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

/** A finite number: what JSON can say, so neither `NaN` nor an infinity. */
export const finite = t.refinement(t.number, Number.isFinite, 'finite number')

/** A whole number, of any sign. */
export const integer = t.refinement(t.number, Number.isInteger, 'integer')

/** A function. */
export const callable = t.refinement(t.unknown, (value) => typeof value === 'function', 'a function')

/** A list of what a codec describes. */
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
  maximum === undefined ? `from ${minimum}` : `${minimum} to ${maximum}`

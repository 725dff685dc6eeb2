import { execFile } from 'node:child_process'
import { isDeepStrictEqual, promisify } from 'node:util'
import { fc, testProp } from '@fast-check/ava'
import test, { type ExecutionContext } from 'ava'
import { expectTypeOf } from 'expect-type'
import { isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import * as io from 'io-ts'
import { compile } from '../../dist/codecs/compile.js'
import { decode } from '../../dist/codecs/decode.js'
import { nullable, oneOf, wire } from '../../dist/codecs/wire.js'
import { moduleFile } from '../helpers/moduleFile.js'

/** With how many random codecs the law is tried, each on several values; more with `FUZZ_RUNS=100000`. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 2_000)

// ── custom codecs, and copies of io-ts's

const isString = (value: unknown): value is string => typeof value === 'string'

const NumberFromString = new io.Type<number, string, unknown>(
  'NumberFromString',
  (value): value is number => typeof value === 'number',
  (value, context) =>
    isString(value) && value.trim() !== ''
      ? io.success(Number(value))
      : io.failure(value, context, 'no number'),
  String,
)

/** Makes something of `undefined`, and of everything else. */
const Default = new io.Type<string, string, unknown>(
  'Default',
  isString,
  (value) => io.success(isString(value) ? value : 'default'),
  io.identity,
)

/** Accepts what lies at most two steps deep, and gives its path: it sees whether its context is the right one. */
const PathOf = new io.Type<string, string, unknown>(
  'PathOf',
  isString,
  (value, context) =>
    context.length < 5
      ? io.success(context.map(({ key, type, actual }) => `${key}:${type.name}:${typeof actual}`).join('/'))
      : io.failure(value, context, 'too deep'),
  io.identity,
)

/** Gives `undefined` for everything. */
const Nothing = new io.Type<undefined, undefined, unknown>(
  'Nothing',
  (value): value is undefined => value === undefined,
  () => io.success(undefined),
  io.identity,
)

/** Accepts everything. */
const Otherwise = new io.Type<string, string, unknown>(
  'Otherwise',
  isString,
  () => io.success('otherwise'),
  io.identity,
)

/** A copy, as io-ts-types makes them: same class, same fields. */
const clone = <C extends io.Any>(codec: C): C =>
  Object.assign(Object.create(Object.getPrototypeOf(codec)), codec)

const withValidate = <C extends io.Any>(codec: C, validate: C['validate']): C => {
  const copy = clone(codec)
  return Object.assign(copy, {
    validate,
    decode: (value: unknown) => validate(value, [{ key: '', type: copy, actual: value }]),
  })
}

const withMessage = <C extends io.Any>(codec: C): C =>
  withValidate(codec, (value, context) => {
    const decoded = codec.validate(value, context)
    return isRight(decoded) ? decoded : io.failure(value, context, `no ${codec.name}`)
  })

const withFallback = <C extends io.Any>(codec: C, fallback: unknown): C =>
  withValidate(codec, (value, context) => {
    const decoded = codec.validate(value, context)
    return isRight(decoded) ? decoded : io.success(fallback)
  })

/** Its validate is io-ts's own function, and calls another guard. */
class ShortString extends io.StringType {
  constructor() {
    super()
    Object.assign(this, { name: 'ShortString', is: (value: unknown) => isString(value) && value.length < 2 })
  }
}

// ── descriptions of codecs

const LEAVES = {
  string: io.string,
  number: io.number,
  boolean: io.boolean,
  bigint: io.bigint,
  null: io.null,
  undefined: io.undefined,
  void: io.void,
  unknown: io.unknown,
  any: io.any,
  // Its encoder makes `t.never` no Mixed for TypeScript; in JavaScript it is an ordinary part of codecs.
  never: clone<io.Mixed>(Object(io.never)),
  function: io.Function,
  object: io.object,
  UnknownArray: io.UnknownArray,
  UnknownRecord: io.UnknownRecord,
  Int: io.Int,
  'literal a': io.literal('a'),
  'literal 0': io.literal(0),
  'literal true': io.literal(true),
  keyof: io.keyof({ a: null, b: null }),
  oneOf: oneOf('a', 'b'),
  NumberFromString,
  Default,
  PathOf,
  Nothing,
  Otherwise,
  ShortString: new ShortString(),
  'string, cloned': clone(io.string),
  'string, with fallback': withFallback(io.string, 'fallback'),
  'number, with message': withMessage(io.number),
  renamed: new io.Type<string>('renamed', io.string.is, io.string.validate, io.identity),
  '-0': new io.Type<number>('-0', io.number.is, () => io.success(-0), io.identity),
  'length, through a pipe': io.string.pipe(
    new io.Type<number, string, string>(
      'length',
      io.number.is,
      (value, context) => (value.length > 3 ? io.failure(value, context) : io.success(value.length)),
      String,
    ),
  ),
} satisfies Readonly<Record<string, io.Mixed>>

const WRAPPERS = {
  readonly: (codec) => io.readonly(codec),
  wire: (codec) => wire(codec, `wire ${codec.name}`),
  compile,
  nullable,
  array: (codec) => io.array(codec),
  readonlyArray: (codec) => io.readonlyArray(codec),
  'record of strings': (codec) => io.record(io.string, codec),
  'record of short keys': (codec) => io.record(ShortKey, codec),
  'record of numbers': (codec) => io.record(NumberFromString, codec),
  'record of keyof': (codec) => io.record(io.keyof({ b: null, a: null }), codec),
  'record of a literal': (codec) => io.record(io.literal('a'), codec),
  'record of a union': (codec) => io.record(io.union([io.literal('c'), io.keyof({ a: null })]), codec),
  'record of any': () => io.record(io.string, io.any),
  refinement: (codec) => io.refinement(codec, isTidy, `tidy ${codec.name}`),
  brand: (codec) => io.brand(codec, isTidyBrand, 'Tidy'),
  cloned: clone,
  'with message': withMessage,
  'with fallback': (codec) => withFallback(codec, FALLBACK),
  'with another encoder': (codec) => Object.assign(clone(codec), { encode: String }),
  'as a new type': (codec) => new io.Type(codec.name, codec.is, codec.validate, codec.encode),
  'with another validate, half': (codec) => Object.assign(clone(codec), { validate: io.string.validate }),
} satisfies Readonly<Record<string, (codec: io.Mixed) => io.Mixed>>

const ShortKey = io.refinement(io.string, (key) => key.length < 2, 'ShortKey')
const FALLBACK = { fell: 'back' }

interface TidyBrand {
  readonly Tidy: unique symbol
}

/** Refuses about half of everything, on grounds that do not depend on identity. */
const isTidy = (value: unknown): boolean =>
  isString(value) ? value.length < 3 : typeof value === 'number' ? value >= 0 : value !== null
const isTidyBrand = (value: unknown): value is io.Branded<unknown, TidyBrand> => isTidy(value)

type Fields = ReadonlyArray<readonly [string, Description]>

/** A random codec, as data: a counterexample can be read. */
type Description =
  | { readonly is: 'leaf'; readonly leaf: keyof typeof LEAVES }
  | { readonly is: 'wrapper'; readonly by: keyof typeof WRAPPERS; readonly of: Description }
  | { readonly is: 'type' | 'partial' | 'strict' | 'exact partial' | 'exact both'; readonly fields: Fields }
  | { readonly is: 'both'; readonly required: Fields; readonly optional: Fields }
  | { readonly is: 'tuple' | 'union' | 'intersection'; readonly of: ReadonlyArray<Description> }
  | { readonly is: 'tagged'; readonly of: ReadonlyArray<Fields>; readonly by: ReadonlyArray<Tagging> }
  | { readonly is: 'recursion'; readonly of: Description }
  | { readonly is: 'self' }

const TAGGINGS = {
  plain: (codec: io.Mixed) => codec,
  readonly: (codec: io.Mixed) => io.readonly(codec),
  wire: (codec: io.Mixed) => wire(codec, 'wire'),
  refinement: (codec: io.Mixed) => io.refinement(codec, (value) => value.a !== 'refuse'),
  'with partial': (codec: io.Mixed) => io.intersection([codec, io.partial({ opt: io.string })]),
  'with tag again': (codec: io.Mixed) => io.intersection([codec, io.type({ tag: io.unknown })]),
  'with fallback': (codec: io.Mixed) => withFallback(codec, FALLBACK),
  recursion: (codec: io.Mixed) => io.recursion('R', () => clone(codec)),
} satisfies Readonly<Record<string, (codec: io.Mixed) => io.Mixed>>

type Tagging = keyof typeof TAGGINGS

const propsOf = (fields: Fields, self: io.Mixed): Record<string, io.Mixed> =>
  Object.fromEntries(fields.map(([key, description]) => [key, build(description, self)]))

const build = (description: Description, self: io.Mixed): io.Mixed => {
  switch (description.is) {
    case 'leaf':
      return leafOf(description.leaf)
    case 'wrapper':
      return wrapperOf(description.by)(build(description.of, self))
    case 'type':
      return io.type(propsOf(description.fields, self))
    case 'partial':
      return io.partial(propsOf(description.fields, self))
    case 'strict':
      return io.strict(propsOf(description.fields, self))
    case 'exact partial':
      return io.exact(io.partial(propsOf(description.fields, self)))
    case 'exact both':
      return io.exact(
        io.readonly(
          io.intersection([
            io.type(propsOf(description.fields.slice(0, 1), self)),
            io.partial(propsOf(description.fields.slice(1), self)),
          ]),
        ),
      )
    case 'both':
      return io.intersection([
        io.type(propsOf(description.required, self)),
        io.partial(propsOf(description.optional, self)),
      ])
    case 'tuple': {
      const [first, second, third] = threeOf(description.of, self)
      return third === undefined ? io.tuple([first, second]) : io.tuple([first, second, third])
    }
    case 'union': {
      const [first, second, third] = threeOf(description.of, self)
      return third === undefined ? io.union([first, second]) : io.union([first, second, third])
    }
    case 'intersection': {
      const [first, second, third] = threeOf(description.of, self)
      return third === undefined ? io.intersection([first, second]) : io.intersection([first, second, third])
    }
    case 'tagged': {
      const [first = io.unknown, second = io.unknown, ...others] = description.of.map((fields, index) =>
        TAGGINGS[description.by[index] ?? 'plain'](
          io.type({ ...propsOf(fields, self), tag: io.literal(TAGS[index] ?? 'a') }),
        ),
      )
      return io.union([first, second, ...others])
    }
    case 'recursion': {
      const recursive: io.Mixed = io.recursion('Self', (inner) =>
        // A recursion renames what its definition gives.
        clone(build(description.of, inner)),
      )
      return recursive
    }
    case 'self':
      return self
  }
}

const TAGS = ['a', 0, true] as const

const leafOf = (name: keyof typeof LEAVES): io.Mixed => LEAVES[name]
const wrapperOf = (name: keyof typeof WRAPPERS): ((codec: io.Mixed) => io.Mixed) => WRAPPERS[name]

const threeOf = (
  descriptions: ReadonlyArray<Description>,
  self: io.Mixed,
): readonly [io.Mixed, io.Mixed, io.Mixed | undefined] => {
  const [first = io.unknown, second = io.unknown, third] = descriptions.map((each) => build(each, self))
  return [first, second, third]
}

const orOtherwise = (description: Description): Description => ({
  is: 'union',
  of: [description, { is: 'leaf', leaf: 'Otherwise' }],
})

/** io-ts itself cannot make a union of some codecs with a literal under the key `constructor`. */
const built = (description: Description): io.Mixed | undefined => {
  try {
    return build(description, io.unknown)
  } catch {
    return undefined
  }
}

/** The same codec with nothing compiled in it: `wire` compiles. */
const uncompiled = (description: Description): Description =>
  JSON.parse(JSON.stringify(description), (_, value) =>
    value === 'wire' || value === 'compile' ? 'readonly' : value,
  )

const throws = (run: () => unknown): boolean => {
  try {
    run()
    return false
  } catch {
    return true
  }
}

// ── random codecs

const KEYS = ['a', 'b', 'c', 'inherited', 'constructor', '__proto__']

/**
 * `self` may stand where a value has to shrink to get there, so that decoding ends: `closed` outside of a recursion,
 * `guarded` in one before the first key or item, `open` behind it.
 */
type Recursion = 'closed' | 'guarded' | 'open'

const leaf: fc.Arbitrary<Description> = fc
  .constantFrom(...(Object.keys(LEAVES) as ReadonlyArray<keyof typeof LEAVES>))
  .map((name) => ({ is: 'leaf', leaf: name }))

const CONTAINERS: ReadonlySet<string> = new Set(
  Object.keys(WRAPPERS).filter((name) => /array|record/i.test(name)),
)

const described = (depth: number, recursion: Recursion): fc.Arbitrary<Description> => {
  if (depth === 0) return recursion === 'open' ? fc.oneof(leaf, fc.constant({ is: 'self' })) : leaf
  const same = fc.noShrink(described(depth - 1, recursion))
  const inner = fc.noShrink(described(depth - 1, recursion === 'closed' ? 'closed' : 'open'))
  // What every object inherits never ends: `self` is not to be found there.
  const closed = fc.noShrink(described(depth - 1, 'closed'))
  const field = fc
    .constantFrom(...KEYS)
    .chain((key) => fc.tuple(fc.constant(key), key in Object.prototype ? closed : inner))
  const fields = (minLength: number): fc.Arbitrary<Fields> =>
    fc.uniqueArray(field, { minLength, maxLength: 4, selector: ([key]) => key })
  const wrapper = fc
    .constantFrom(...(Object.keys(WRAPPERS) as ReadonlyArray<keyof typeof WRAPPERS>))
    .chain((by) => (CONTAINERS.has(by) ? inner : same).map((of): Description => ({ is: 'wrapper', by, of })))
  const object: fc.Arbitrary<Description> = fc.record({
    is: fc.constantFrom('type', 'partial', 'strict', 'exact partial', 'exact both'),
    fields: fields(1),
  })
  const several = (of: fc.Arbitrary<Description>) =>
    fc.array(of, { minLength: 2, maxLength: recursion === 'closed' ? 3 : 2 })
  return fc.oneof(
    { weight: recursion === 'open' ? 1 : 0, arbitrary: fc.constant<Description>({ is: 'self' }) },
    { weight: 2, arbitrary: leaf },
    { weight: 4, arbitrary: wrapper },
    { weight: 5, arbitrary: object },
    {
      weight: 3,
      arbitrary: fc.record({ is: fc.constant('both'), required: fields(0), optional: fields(0) }),
    },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('tuple'), of: several(inner) }) },
    { weight: 2, arbitrary: fc.record({ is: fc.constantFrom('union', 'intersection'), of: several(same) }) },
    {
      weight: 2,
      arbitrary: fc.record({ is: fc.constantFrom('union', 'intersection'), of: several(object) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        is: fc.constant('tagged'),
        of: fc.array(fields(0), { minLength: 2, maxLength: 3 }),
        by: fc.array(fc.constantFrom(...(Object.keys(TAGGINGS) as ReadonlyArray<Tagging>)), {
          minLength: 3,
          maxLength: 3,
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: described(depth - 1, 'guarded').map((of): Description => ({ is: 'recursion', of })),
    },
  )
}

// ── values, random ones and some that the codec may accept

class Inheriting {
  own = 1
  get inherited(): string {
    return 'from the class'
  }
}

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    'a',
    'b',
    '',
    'abcd',
    '12',
    'constructor',
    0,
    -0,
    1,
    -1,
    NaN,
    0.5,
    true,
    false,
    null,
    undefined,
    7n,
  ),
  fc.constantFrom<unknown>(() => 1, Symbol.iterator, new Inheriting(), new Date(0), [], {}, /x/),
  fc.constantFrom<unknown>(
    Object.create({ a: 'a', b: 'inherited' }),
    Object.create(null),
    Object.defineProperty({ b: 1 }, 'a', { value: 'hidden', enumerable: false, writable: true }),
    // A list with a hole.
    Object.assign([], { 1: 'a' }),
  ),
  fc
    .constantFrom(
      '{"__proto__":{"a":1},"a":"a"}',
      '{"a":{"__proto__":1,"constructor":{"prototype":{}}},"b":0}',
      '{"__proto__":"a","constructor":"b","toString":1}',
    )
    .map((json): unknown => JSON.parse(json)),
)

const objectOf = (entries: ReadonlyArray<readonly [string, unknown]>): unknown => {
  const object = {}
  // Own keys, `__proto__` included, as JSON.parse makes them.
  for (const [key, value] of entries)
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
  return object
}

const anything: fc.Arbitrary<unknown> = fc.oneof(
  odd,
  fc.array(odd, { maxLength: 3 }),
  fc
    .array(fc.tuple(fc.constantFrom(...KEYS, 'tag', 'other'), odd), { maxLength: 4 })
    .map((entries) => objectOf(entries)),
)

const OF_LEAF: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  unknown: odd,
  any: odd,
  keyof: fc.constantFrom('a', 'b', 'constructor'),
  number: fc.constantFrom(1, -1, NaN, -0),
  Int: fc.constantFrom(1, 0, -0),
  boolean: fc.boolean(),
  bigint: fc.constant(7n),
  null: fc.constant(null),
  undefined: fc.constant(undefined),
  void: fc.constant(undefined),
  function: fc.constant(String),
  object: fc.constantFrom({}, [], { a: 1 }),
  UnknownArray: fc.constant([1]),
  UnknownRecord: fc.constant({ a: 1 }),
  'literal 0': fc.constantFrom(0, -0),
  'literal true': fc.constant(true),
  NumberFromString: fc.constantFrom('1', '-1', 'x'),
  'number, with message': fc.constant(1),
  '-0': fc.constantFrom(0, -0),
}

/** Values near what a codec accepts; now and then something else anywhere within. */
const near = (description: Description, self: Description, depth: number): fc.Arbitrary<unknown> =>
  depth <= 0
    ? odd
    : fc.oneof({ weight: 24, arbitrary: nearly(description, self, depth) }, { weight: 1, arbitrary: odd })

const nearly = (description: Description, self: Description, depth: number): fc.Arbitrary<unknown> => {
  const inner = (each: Description): fc.Arbitrary<unknown> => near(each, self, depth - 1)
  const entries = (fields: Fields, optional: boolean) =>
    fc
      .tuple(
        ...fields.map(([key, each]) =>
          fc
            .tuple(inner(each), fc.nat(24))
            .map(([value, chance]) => (chance < (optional ? 8 : 1) ? [] : [[key, value] as const])),
        ),
        fc.constantFrom([], [], [['other', 1] as const]),
      )
      .map((all) => all.flat())
  switch (description.is) {
    case 'leaf':
      return OF_LEAF[description.leaf] ?? fc.constantFrom('a', 'b', 'abcd')
    case 'self':
      return near(self, self, depth - 2)
    case 'recursion':
      return near(description.of, description.of, depth)
    case 'wrapper':
      if (/array/i.test(description.by)) return fc.array(inner(description.of), { maxLength: 3 })
      if (/record/.test(description.by))
        return fc
          .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'long', '1', '__proto__'), inner(description.of)), {
            maxLength: 4,
          })
          .map(objectOf)
      return near(description.of, self, depth)
    case 'type':
    case 'strict':
      return entries(description.fields, false).map(objectOf)
    case 'partial':
    case 'exact partial':
    case 'exact both':
      return entries(description.fields, true).map(objectOf)
    case 'both':
      return fc
        .tuple(entries(description.required, false), entries(description.optional, true))
        .map((all) => objectOf(all.flat()))
    case 'tuple':
      return fc
        .tuple(fc.tuple(...description.of.map(inner)), fc.array(odd, { maxLength: 1 }), fc.nat(9))
        .map(([items, more, chance]) => (chance === 0 ? items.slice(1) : [...items, ...more]))
    case 'union':
      return fc.oneof(...description.of.map((each) => near(each, self, depth)))
    case 'intersection':
      return fc.tuple(...description.of.map((each) => near(each, self, depth))).map((values) => {
        const objects = values.filter((value) => typeof value === 'object' && value !== null)
        return objects.length === values.length && objects.length > 1
          ? objectOf(objects.flatMap((value) => Object.entries(value)))
          : values[0]
      })
    case 'tagged':
      return fc.oneof(
        ...description.of.map((fields, index) =>
          entries(fields, false).map((all) => objectOf([['tag', TAGS[index]], ...all])),
        ),
      )
  }
}

const cases = described(3, 'closed').chain((description) =>
  fc.record({
    description: fc.constant(description),
    values: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: near(description, { is: 'leaf', leaf: 'unknown' }, 5) },
        { weight: 1, arbitrary: anything },
      ),
      { minLength: 4, maxLength: 6 },
    ),
  }),
)

// ── what comes of a value, so that two results can be compared

/** Every object in the value, with a name: what a result keeps is told apart from what it copies. */
const namesOf = (value: unknown): ReadonlyMap<unknown, string> => {
  const names = new Map<unknown, string>()
  const visit = (each: unknown): void => {
    if ((typeof each !== 'object' && typeof each !== 'function') || each === null || names.has(each)) return
    names.set(each, `given object ${names.size}`)
    for (const key of Reflect.ownKeys(each)) visit(Reflect.get(each, key))
  }
  visit(value)
  return names
}

const snapshot = (value: unknown, names: ReadonlyMap<unknown, string>): unknown => {
  if (typeof value !== 'object' || value === null) return value
  const name = names.get(value)
  if (name !== undefined) return name
  const prototype: unknown = Object.getPrototypeOf(value)
  return {
    copy: Array.isArray(value) ? 'array' : 'object',
    prototype: SHARED.has(prototype) ? prototype : snapshot(prototype, names),
    entries: Reflect.ownKeys(value).map((key) => [key, snapshot(Reflect.get(value, key), names)]),
  }
}

const SHARED: ReadonlySet<unknown> = new Set([Object.prototype, Array.prototype, Inheriting.prototype])

const outcome = (run: () => io.Validation<unknown>, names: ReadonlyMap<unknown, string>): object => {
  try {
    const decoded = run()
    if (isRight(decoded)) return { right: snapshot(decoded.right, names) }
    // Unions within a recursion can refuse a value in thousands of ways.
    const some = decoded.left.slice(0, 40)
    return {
      errors: decoded.left.length,
      left: some.map(({ value, message, context }) => ({
        value: snapshot(value, names),
        message,
        context: context.map(({ key, actual }) => ({ key, actual: snapshot(actual, names) })),
      })),
      // The codecs of the errors' contexts are the very same: compared by identity, and not printed.
      types: some.flatMap(({ context }) => context.map(({ type }) => idOf(type))),
    }
  } catch (error) {
    return { thrown: String(error) }
  }
}

const ids = new WeakMap<object, number>()
let lastId = 0
const idOf = (object: object): number => {
  const id = ids.get(object) ?? ++lastId
  ids.set(object, id)
  return id
}

/** What the codec and the compiled codec make of a value, when that is not the same. */
const difference = (codec: io.Mixed, compiled: io.Mixed, value: unknown): ReadonlyArray<object> => {
  const names = namesOf(value)
  const expected = outcome(() => codec.decode(value), names)
  // Where io-ts throws (it looks at further keys after one that is wrong), there is nothing to agree with.
  if ('thrown' in expected) return []
  const found = outcome(() => compiled.decode(value), names)
  return isDeepStrictEqual(found, expected) ? [] : [{ found, expected }]
}

// ── plain

const User = io.intersection([io.type({ id: io.string }), io.partial({ age: io.number })], 'User')

test('decodes what is valid, and keeps name, guard, encoder, class and static type', (t) => {
  const compiled = compile(User)
  expectTypeOf(compiled).toEqualTypeOf(User)
  const value = { id: 'a', more: 1 }
  const decoded = compiled.decode(value)
  t.true(isRight(decoded) && decoded.right === value)
  t.is(compiled.name, 'User')
  t.is(compiled.is, User.is)
  t.is(compiled.encode, User.encode)
  t.true(compiled instanceof io.IntersectionType)
  t.is(compiled.types, User.types)
})

test('leaves the errors to the codec: they are its own, context and all', (t) => {
  const decoded = compile(User).decode({ id: 1, age: 'x' })
  const errors = isLeft(decoded) ? decoded.left : []
  t.deepEqual(
    errors.map(({ context }) => context.map(({ key }) => key)),
    [
      ['', '0', 'id'],
      ['', '1', 'age'],
    ],
  )
  t.is(errors[0]?.context[0]?.type, User)
  t.deepEqual(decode(compile(User))({ id: 1 }), left({ path: 'id', expected: 'string', found: 'number 1' }))
})

test('what is not made by io-ts is given back as it is', (t) => {
  const messaged = withMessage(User)
  const deciding = Object.assign(clone(User), { decode: () => io.failures([]) })
  for (const codec of [io.string, NumberFromString, io.string.pipe(NumberFromString), messaged, deciding])
    t.is<io.Any, io.Any>(compile(codec), codec)
  const compiled = compile(User)
  t.not(compiled, User)
  t.is(compile(compiled), compiled)
})

/** Every combinator, with a value that it accepts as it is. Made anew, because the test breaks them. */
const accepted = (): ReadonlyArray<readonly [string, io.Mixed, unknown]> => {
  const User = io.intersection([io.type({ id: io.string }), io.partial({ age: io.number })], 'User')
  const Variant = io.intersection([io.type({ tag: io.literal('b') }), io.partial({ x: io.string })])
  return [
    ['literal', io.literal('a'), 'a'],
    ['keyof', io.keyof({ a: null }), 'a'],
    ['oneOf', oneOf('a', 'b'), 'b'],
    ['type', io.type({ a: io.string, b: io.unknown }), { a: 'a', b: 1 }],
    ['partial', io.partial({ a: io.string, b: io.UnknownArray, c: io.literal(0) }), { b: [] }],
    ['strict', io.strict({ a: io.string }), { a: 'a' }],
    ['exact', io.exact(io.readonly(User)), { id: 'a', age: 1 }],
    ['record', io.record(io.string, io.number), { a: 1 }],
    ['record of any', io.record(io.string, io.any), [1]],
    ['closed record', io.record(io.keyof({ a: null, b: null }), io.boolean), { a: true, b: false }],
    ['array', io.array(io.literal(1)), [1, 1]],
    ['readonlyArray', io.readonlyArray(io.UnknownRecord), [{}]],
    ['tuple', io.tuple([io.null, io.undefined]), [null, undefined]],
    ['union', io.union([io.string, io.type({ a: io.bigint })]), { a: 1n }],
    ['nullable', nullable(User), { id: 'a' }],
    [
      'tagged union',
      io.union([io.type({ tag: io.literal('a') }), io.readonly(Variant)]),
      { tag: 'b', x: 'x' },
    ],
    ['intersection', io.intersection([User, io.partial({ b: io.boolean })]), { id: 'a', b: true }],
    ['refinement', io.refinement(io.string, (value) => value !== ''), 'a'],
    ['readonly', io.readonly(User), { id: 'a' }],
    ['wire', io.type({ inner: wire(wire(User, 'Inner'), 'Outer') }), { inner: { id: 'a' } }],
    ['compiled', io.array(compile(User)), [{ id: 'a' }]],
    [
      'recursion',
      io.recursion('Tree', (self) => io.type({ children: io.array(self) })),
      { children: [{ children: [] }] },
    ],
  ]
}

/** Lets a codec and everything in it throw when it is called; leaves are shared, and stay. */
const disable = (codec: object, above: ReadonlyArray<object>): void => {
  const parts = ['type', 'types', 'props', 'domain', 'codomain'].flatMap((field): ReadonlyArray<unknown> => {
    const within: unknown = Reflect.get(codec, field)
    return within instanceof io.Type ? [within] : Object.values(within ?? {})
  })
  for (const part of parts)
    if (part instanceof io.Type && !above.includes(part)) disable(part, [...above, codec])
  if (Object.values<unknown>(LEAVES).includes(codec)) return
  Object.assign(codec, {
    validate: () => {
      throw new Error('io-ts was called')
    },
  })
}

for (const [title] of accepted()) {
  test(`compiles ${title}: a valid value is decoded without calling io-ts`, (t) => {
    const [, codec = io.null, value] = accepted().find(([name]) => name === title) ?? []
    const compiled = compile(codec)
    const before = compiled.decode(value)
    disable(codec, [])
    const decoded = compiled.decode(value)
    t.true(isRight(before) && before.right === value)
    t.true(isRight(decoded) && decoded.right === value)
    t.throws(() => compiled.decode(NOTHING), { message: 'io-ts was called' })
  })
}

const NOTHING = Symbol('what no codec here accepts')

// ── what a compiler gets wrong

const Tagged = io.union([
  withFallback(io.type({ tag: io.literal('a'), x: io.string }), 'fell back'),
  io.type({ tag: io.literal('b') }),
])

interface Chain {
  readonly next: Chain | null
}

const hidden = Object.defineProperty({}, 'a', { value: 1, enumerable: false })

const TRAPS: ReadonlyArray<readonly [string, io.Mixed, unknown]> = [
  [
    'a missing key whose codec accepts undefined is added',
    io.type({ a: io.unknown, b: io.string }),
    { b: 'b' },
  ],
  ['an undefined key is not added again', io.type({ a: io.undefined }), { a: undefined }],
  ['an optional key may have a default', io.partial({ a: Default }), {}],
  ['a literal 0 takes -0, and gives 0', io.literal(0), -0],
  ['but leaves it within an object', io.type({ a: io.literal(0) }), { a: -0 }],
  ['what holds NaN is copied', io.type({ a: io.number }), { a: Number.NaN }],
  ['a list that holds NaN too', io.array(io.unknown), [Number.NaN]],
  ['a copy is without what was inherited', io.type({ b: Default, a: io.string }), Object.create({ a: 'a' })],
  ['an array is no object', io.partial({ a: io.string }), []],
  ['hidden keys count', io.partial({ a: io.string }), hidden],
  ['inherited keys count', io.partial({ constructor: io.string }), {}],
  ['a tuple drops what is too much', io.tuple([io.string, Default]), ['a', 1, 2]],
  ['and fills up what is missing', io.tuple([io.string, Default]), ['a']],
  ['a record drops keys that its domain refuses', io.record(ShortKey, io.string), { long: 1, a: 'a' }],
  ['and renames others', io.record(NumberFromString, io.string), { '1.0': 'a', '1': 'b' }],
  ['exact drops keys of the copy', io.strict({ a: Default }), { a: 1, b: 2 }],
  [
    'parts that change the same object are merged',
    io.intersection([User, io.type({ id: Default })]),
    { id: 1 },
  ],
  [
    'and so are those that drop keys',
    io.intersection([io.strict({ a: io.string }), io.type({ b: Default })]),
    { a: 'a', c: 1 },
  ],
  ['a union stops at the first that accepts', io.union([Default, io.string]), 1],
  ['a tag chooses, even if another would accept', Tagged, { tag: 'b', x: 1 }],
  ['and its choice may fall back', Tagged, { tag: 'a', x: 1 }],
  ['and nothing is chosen without one', Tagged, { x: 'x' }],
  ['a copy with another validate is another codec', io.array(withFallback(io.string, 'x')), ['a', 1]],
  ['its messages are its own', io.array(withMessage(io.string)), ['a', 1]],
  ['a subclass with another guard is another codec', io.array(LEAVES.ShortString), ['ab']],
  [
    'a codec with a context gets the right one',
    io.type({ a: io.array(io.union([io.null, PathOf])) }),
    { a: [1] },
  ],
  ['also through parts that are compiled', io.type({ a: compile(io.array(PathOf)) }), { a: [1] }],
]

for (const [title, codec, value] of TRAPS) {
  test(`agrees with io-ts: ${title}`, (t) => {
    t.deepEqual(difference(codec, compile(codec), value), [])
    const orElse = io.union([codec, Otherwise])
    t.deepEqual(difference(orElse, compile(orElse), value), [])
  })
}

test('hostile JSON stays what it is', (t) => {
  const Body = compile(io.type({ id: io.string, list: io.array(io.partial({ a: io.number })) }))
  const value = JSON.parse(
    '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"id":"a","list":[{"__proto__":{"a":"x"}}]}',
  )
  const decoded = Body.decode(value)
  t.true(isRight(decoded) && decoded.right === value)
  t.true(Object.hasOwn(value, '__proto__'))
  t.false('x' in {})
  // Where it copies, io-ts assigns: the own key is lost, and becomes the prototype of the copy.
  const Copying = io.type({ id: Default, x: io.unknown })
  t.deepEqual(difference(Copying, compile(Copying), JSON.parse('{"__proto__":{"x":1}}')), [])
  t.false('x' in {})
})

test('a definition runs when a value gets there, not before', (t) => {
  const Late = compile(io.type({ a: io.recursion<string>('Late', () => Later) }))
  t.true(isLeft(Late.decode(null)))
  const Later = io.string
  t.deepEqual(Late.decode({ a: 'a' }), right({ a: 'a' }))
})

test('a definition that fails is of no concern where the tag leads to another branch', (t) => {
  const broken = (): never => {
    throw new ReferenceError('not yet')
  }
  const Broken = io.type({ inner: io.recursion('Broken', broken), kind: io.literal('a') })
  const Either = io.union([Broken, io.type({ kind: io.literal('b') })])
  const value = { inner: 1, kind: 'b' }
  t.deepEqual(Either.decode(value), right(value))
  t.deepEqual(compile(Either).decode(value), right(value))
  t.throws(() => compile(Either).decode({ inner: 1, kind: 'a' }), { message: 'not yet' })
})

test('a failure deep in a recursion is found once, however many compiled codecs are on the way', (t) => {
  let calls = 0
  // A codec that is not io-ts's own, between each two that are compiled: each of those tries before it explains.
  const Link: io.Type<Chain> = compile(
    io.recursion('Link', () => io.type({ next: nullable(Between) }, 'Link')),
  )
  const Between: io.Type<Chain> = new io.Type<Chain>(
    'Between',
    Link.is,
    (value, context) => {
      calls += 1
      return Link.validate(value, context)
    },
    io.identity,
  )
  const depth = 30
  let value: unknown = { next: 'wrong' }
  for (let level = 1; level < depth; level += 1) value = { next: value }
  t.true(isLeft(Link.decode(value)))
  t.true(calls < depth * depth, `${calls} calls`)
})

// ── where it runs

const script = async (
  t: ExecutionContext,
  source: string,
  ...flags: ReadonlyArray<string>
): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, moduleFile(t, source)])
  return stdout.trim()
}

const module = new URL('../../dist/codecs/compile.js', import.meta.url).href

test('works where code may not be made of text', async (t) => {
  const source = `
    import * as t from 'io-ts'
    import { compile } from '${module}'
    const codec = t.type({ a: t.string })
    let refused = false
    try { new Function('return 1')() } catch { refused = true }
    console.log(refused, compile(codec) !== codec, compile(codec).decode({ a: 'a' })._tag)
  `
  t.is(await script(t, source, '--disallow-code-generation-from-strings'), 'true true Right')
})

test('compiles nothing where the text of functions is hidden', async (t) => {
  const source = `
    import * as t from 'io-ts'
    import { compile } from '${module}'
    Function.prototype.toString = () => 'function () { [native code] }'
    const codec = t.type({ a: t.string })
    console.log(compile(codec) === codec)
  `
  t.is(await script(t, source), 'true')
})

// ── law

testProp(
  'law: a compiled codec agrees with the codec on every value',
  [cases],
  (t, { description, values }) => {
    // Refusing what the codec accepts would only be slow, since the codec is asked for the errors: in a union it shows.
    const differences = [description, orOtherwise(description)].flatMap((each) => {
      const codec = built(each)
      if (codec === undefined) return []
      const compiled = compile(codec)
      const plain = built(uncompiled(each))
      return (
        values
          // Where io-ts throws at a part, a compiled one need not; but asking for the errors asks io-ts.
          .filter((value) => !throws(() => plain?.decode(value)))
          .flatMap((value) => difference(codec, compiled, value))
      )
    })
    t.deepEqual(differences, [])
  },
  { numRuns: RUNS },
)

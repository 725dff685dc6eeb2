import { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { tried } from '../util/tried.js'
import { hash, pick } from './hash.js'
import { capitalised } from './words.js'

/** What a value may be made of: words of the conversation. */
export interface SchemaHints {
  /** The prompt itself. */
  readonly question: string
  /** A short noun phrase. */
  readonly topic: string
  /** Names in the prompt, such as `Paris`. */
  readonly names: ReadonlyArray<string>
  /** Other words that carry meaning. */
  readonly keywords: ReadonlyArray<string>
  /** Numbers in the prompt. */
  readonly numbers: ReadonlyArray<number>
  /** A sentence or two. */
  readonly sentence: string
}

interface Place {
  readonly root: unknown
  readonly hints: SchemaHints
  readonly seed: number
  readonly name: string
  /** Which element of a list, when `listed`. */
  readonly index: number
  readonly listed: boolean
  readonly depth: number
  /** How many more values the whole has room for. */
  readonly room: { left: number }
}

// A recursive schema (a tree, a linked list) ends here: optional properties and list items are left out.
const DEEP = 5
const DEEPEST = 24

// Lists in lists, and objects in themselves, multiply. After this many values lists get no more items; after twice as many
// everything ends, required or not. A long text counts as several values.
const MOST_VALUES = 10_000
const CHARACTERS_PER_VALUE = 100

/** Takes up the room of a value. */
const leaf = (value: unknown, { room }: Place): unknown => {
  const length = typeof value === 'object' ? JSON.stringify(value).length : String(value).length
  room.left -= 1 + Math.floor(length / CHARACTERS_PER_VALUE)
  return value
}

const resolved = (schema: unknown, root: unknown, hops = 0): unknown => {
  if (!Fields.is(schema) || typeof schema.$ref !== 'string' || hops > 16) return schema
  const { $ref, ...beside } = schema
  if (!$ref.startsWith('#')) return beside
  const target = $ref
    .slice(1)
    .split('/')
    .slice(1)
    .map((step) =>
      (tried(() => decodeURIComponent(step)) ?? step).replaceAll('~1', '/').replaceAll('~0', '~'),
    )
    .reduce<unknown>((at, step) => (Fields.is(at) && Object.hasOwn(at, step) ? at[step] : undefined), root)
  const found = resolved(target, root, hops + 1)
  return Fields.is(found) ? { ...found, ...beside } : beside
}

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

const typesOf = (schema: Fields): ReadonlyArray<string> => {
  const named =
    typeof schema.type === 'string'
      ? [schema.type]
      : listOf(schema.type).filter((type) => typeof type === 'string')
  if (named.length > 0) return named
  if (Fields.is(schema.properties) || Array.isArray(schema.required)) return ['object']
  if (schema.items !== undefined || schema.prefixItems !== undefined) return ['array']
  if (schema.minimum !== undefined || schema.maximum !== undefined) return ['number']
  return ['string']
}

// Later parts win, except that properties and required names add up.
const merged = (parts: ReadonlyArray<unknown>): Fields => {
  const schemas = parts.filter(Fields.is)
  const properties = Object.assign({}, ...schemas.map((schema) => fieldsOf(schema.properties)))
  const required = schemas.flatMap((schema) => listOf(schema.required))
  return {
    ...Object.assign({}, ...schemas),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  }
}

const isNull = (schema: unknown): boolean =>
  Fields.is(schema) && (schema.type === 'null' || schema.const === null)

/** Whether a variant refers to no other schema, so that recursion ends with it. */
const isFlat =
  (root: unknown) =>
  (schema: unknown): boolean =>
    !String(JSON.stringify(resolved(schema, root))).includes('"$ref"')

const objectOf = (schema: Fields, place: Place): Fields => {
  const properties = fieldsOf(schema.properties)
  const required = listOf(schema.required).filter((key) => typeof key === 'string')
  const wanted = place.depth >= DEEP || required.length > 0 ? required : Object.keys(properties)
  place.room.left -= 1
  return Object.fromEntries(
    wanted.map((name) => {
      place.room.left -= Math.floor(name.length / CHARACTERS_PER_VALUE)
      const within = { ...place, name, depth: place.depth + 1, seed: hash(name, place.seed) }
      return [name, valueAt(Object.hasOwn(properties, name) ? properties[name] : {}, within)]
    }),
  )
}

const arrayOf = (schema: Fields, place: Place): ReadonlyArray<unknown> => {
  const fixed = listOf(schema.prefixItems)
  const least = number(schema.minItems) ?? 0
  const most = number(schema.maxItems) ?? Number.POSITIVE_INFINITY
  const usual = place.depth >= DEEP ? 0 : Math.max(2, Math.min(3, place.hints.names.length))
  const length = Math.min(Math.max(least, Math.min(usual, most), Math.min(fixed.length, most)), 100)
  const items: Array<unknown> = []
  place.room.left -= 1
  for (let index = 0; index < length && place.room.left > 0; index++) {
    const within = {
      ...place,
      index: place.index + index,
      listed: true,
      depth: place.depth + 1,
      seed: place.seed + index,
    }
    items.push(valueAt(fixed[index] ?? schema.items ?? {}, within))
  }
  return items
}

const FORMATS: Readonly<Record<string, (seed: number) => string>> = {
  'date-time': (seed) => `2026-0${1 + (seed % 9)}-1${seed % 10}T0${seed % 10}:30:00Z`,
  date: (seed) => `2026-0${1 + (seed % 9)}-1${seed % 10}`,
  time: (seed) => `0${seed % 10}:30:00Z`,
  email: (seed) => `user${seed % 1000}@example.com`,
  uri: (seed) => `https://example.com/${seed % 1000}`,
  url: (seed) => `https://example.com/${seed % 1000}`,
  uuid: (seed) => {
    const hex = [1, 2, 3, 4]
      .map((part) =>
        hash('uuid', seed + part)
          .toString(16)
          .padStart(8, '0'),
      )
      .join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  },
  hostname: () => 'example.com',
  ipv4: (seed) => `192.0.2.${seed % 255}`,
  ipv6: (seed) => `2001:db8::${(1 + (seed % 0xffff)).toString(16)}`,
  duration: (seed) => `PT${1 + (seed % 59)}M`,
}

const wording = ({ name, hints, seed, index, listed }: Place): string => {
  const named = hints.names[index % Math.max(1, hints.names.length)]
  const word = hints.keywords[(index + (seed % 2)) % Math.max(1, hints.keywords.length)] ?? hints.topic
  if (/city|town|location|place|country|region|destination|origin|address/i.test(name)) return named ?? word
  if (/query|question|prompt|search|^q$|text|input|message|content|expression/i.test(name))
    return hints.question
  if (/title|headline|heading/i.test(name)) return capitalised(hints.topic)
  if (/topic|subject|theme/i.test(name)) return hints.topic
  if (/answer|summary|description|reason|explanation|body|detail|comment|response|output/i.test(name))
    return hints.sentence
  if (/date|day/i.test(name)) return '2026-03-07'
  if (/email/i.test(name)) return 'user@example.com'
  if (/url|link|uri/i.test(name)) return 'https://example.com/'
  if (/(?:^|_)id$/i.test(name)) return `id_${(seed % 0xffff).toString(16).padStart(4, '0')}`
  if (/name|person|author|who/i.test(name)) return named ?? capitalised(word)
  return listed ? (named ?? word) : word
}

const stringOf = (schema: Fields, place: Place): string => {
  const { format } = schema
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  const text = known?.(place.seed) ?? wording(place)
  const longest = number(schema.maxLength) ?? Number.POSITIVE_INFINITY
  const shortest = Math.min(number(schema.minLength) ?? 0, 10_000)
  return text.padEnd(shortest, ` ${place.hints.topic}`).slice(0, longest)
}

const numberOf = (schema: Fields, whole: boolean, { hints, seed, index }: Place): number => {
  const step = number(schema.multipleOf) ?? (whole ? 1 : undefined)
  const tick = step ?? 0.01
  const above = number(schema.exclusiveMinimum)
  const below = number(schema.exclusiveMaximum)
  const least = Math.max(
    number(schema.minimum) ?? Number.NEGATIVE_INFINITY,
    above === undefined ? Number.NEGATIVE_INFINITY : above + tick,
  )
  const most = Math.min(
    number(schema.maximum) ?? Number.POSITIVE_INFINITY,
    below === undefined ? Number.POSITIVE_INFINITY : below - tick,
  )
  const fits = (n: number): boolean =>
    n >= least && n <= most && (step === undefined || Number.isInteger(n / step))
  const said = hints.numbers[index % Math.max(1, hints.numbers.length)]
  if (said !== undefined && fits(said)) return said
  const from = Number.isFinite(least) ? least : Number.isFinite(most) ? most - 100 : 1
  const to = Number.isFinite(most) ? most : from + 100
  const drawn = from + (seed % 1000) * ((to - from) / 1000)
  if (step === undefined) return Math.min(to, Math.max(from, Number(drawn.toFixed(2))))
  const lowest = Math.ceil(from / step)
  return Math.min(Math.max(lowest, Math.round(drawn / step)), Math.max(lowest, Math.floor(to / step))) * step
}

const mentioned = (values: ReadonlyArray<unknown>, question: string): unknown =>
  values.find(
    (value) =>
      typeof value === 'string' && value !== '' && question.toLowerCase().includes(value.toLowerCase()),
  )

const valueAt = (given: unknown, place: Place): unknown => {
  if (place.room.left <= -MOST_VALUES) return leaf(wording(place).slice(0, CHARACTERS_PER_VALUE), place)
  if (place.depth > DEEPEST || given === true) return leaf(wording(place), place)
  const schema = resolved(given, place.root)
  if (!Fields.is(schema)) return leaf(null, place)
  if (Object.hasOwn(schema, 'const')) return leaf(schema.const, place)
  const [first, ...others] = listOf(schema.enum)
  if (first !== undefined) {
    const choices = [first, ...others] as const
    return leaf(mentioned(choices, place.hints.question) ?? pick(choices, place.seed), place)
  }
  if (Array.isArray(schema.allOf)) {
    const { allOf, ...beside } = schema
    const parts = allOf.map((part: unknown) => resolved(part, place.root))
    return valueAt(merged([beside, ...parts]), { ...place, depth: place.depth + 1 })
  }
  const variants = [...listOf(schema.anyOf), ...listOf(schema.oneOf)]
  if (variants.length > 0) {
    const { anyOf: _, oneOf: __, ...beside } = schema
    const last =
      place.depth >= DEEP ? (variants.find(isNull) ?? variants.find(isFlat(place.root))) : undefined
    const variant = resolved(last ?? variants.find((option) => !isNull(option)) ?? variants[0], place.root)
    return valueAt(merged([beside, variant]), { ...place, depth: place.depth + 1 })
  }
  const types = typesOf(schema)
  const type =
    place.depth >= DEEP && types.includes('null') ? 'null' : (types.find((one) => one !== 'null') ?? 'null')
  switch (type) {
    case 'object':
      return objectOf(schema, place)
    case 'array':
      return arrayOf(schema, place)
    case 'integer':
      return leaf(numberOf(schema, true, place), place)
    case 'number':
      return leaf(numberOf(schema, false, place), place)
    case 'boolean':
      return leaf(place.seed % 2 === 0, place)
    case 'null':
      return leaf(null, place)
    default:
      return leaf(stringOf(schema, place), place)
  }
}

/**
 * A value that satisfies a JSON Schema, made of words of the conversation. The same arguments give the same value.
 *
 * Understands `type` (also a list), `properties`, `required`, `items`, `prefixItems`, `enum`, `const`, `anyOf`,
 * `oneOf`, `allOf`, local `$ref`, bounds of numbers, lengths and lists, `multipleOf` and the usual `format`s; not
 * `pattern`, `not`, `if` or `uniqueItems`. Where a schema lists required properties, it gets no others. A list has at most
 * 100 items, and fewer than `minItems` when the whole would have more than 10,000 values.
 *
 * @param name - what the value is for: a property name, by which it becomes a place, a title, a sentence…
 * @param seed - decides where the schema leaves a choice
 */
export const valueFromSchema = (schema: unknown, hints: SchemaHints, name: string, seed: number): unknown =>
  valueAt(schema, {
    root: schema,
    hints,
    seed,
    name,
    index: 0,
    listed: false,
    depth: 0,
    room: { left: MOST_VALUES },
  })

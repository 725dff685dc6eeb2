import type { Either } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { isRight, left } from '#fp/Either'
import { Fields } from './Fields.js'

/** Why a value did not decode: where, what was expected there, and a safe description of what was there. */
export interface DecodeFailure {
  /** Path to the offending value, such as `messages[1].content`; empty for the value itself. */
  readonly path: string
  /** Name of the codec that refused the value, such as `number 0 to 2`. */
  readonly expected: string
  /** Kind and size of what was found, such as `string(12 characters)`: never the text itself, which may be secret. */
  readonly found: string
}

/**
 * Decodes a value, and tells the most telling one of the things that are wrong with it.
 *
 * The first wrong field counts. Where several shapes are allowed (a union), the shape that the value comes closest to
 * speaks: the one that got deepest, one whose literal tag fits before one whose tag does not. When none stands out,
 * the failure is that of the union as a whole.
 *
 * @param codec - what the value should be; any io-ts decoder, also a user's own
 * @returns the decoded value, or one failure
 */
export const decode =
  <A>(codec: t.Decoder<unknown, A>) =>
  (value: unknown): Either<DecodeFailure, A> => {
    const decoded = codec.decode(value)
    return isRight(decoded) ? decoded : left(toFailure(decoded.left, codec.name, value))
  }

/**
 * Describes a value by kind and size only: `string(12 characters)`, `array(3)`, `object with keys a, b`, `Promise`. Numbers,
 * booleans, `null` and `undefined` are shown as they are; the content of strings and objects never is.
 *
 * @param value - anything
 */
export const describeFound = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return `string(${value.length} ${value.length === 1 ? 'character' : 'characters'})`
    case 'number':
    case 'boolean':
      return `${typeof value} ${value}`
    case 'object':
      return value === null ? 'null' : describeObject(value)
    default:
      return typeof value
  }
}

const SHOWN_KEYS = 5
const SHOWN_KEY_LENGTH = 64

const describeObject = (value: object): string => {
  try {
    if (Array.isArray(value)) return `array(${value.length})`
    // A promise, a map or bytes: what they are says more than the keys that they have or lack.
    const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
    return kind === 'Object' ? describeKeys(value) : shorten(kind)
  } catch {
    // A revoked proxy, or one whose traps throw.
    return 'object that cannot be read'
  }
}

const describeKeys = (value: object): string => {
  const keys = Object.keys(value)
  const shown = keys.slice(0, SHOWN_KEYS).map(shorten).join(', ')
  if (keys.length === 0) return 'object without keys'
  return keys.length > SHOWN_KEYS
    ? `object with keys ${shown} and ${keys.length - SHOWN_KEYS} more`
    : `object with ${keys.length === 1 ? 'key' : 'keys'} ${shown}`
}

const shorten = (key: string): string =>
  key.length > SHOWN_KEY_LENGTH ? `${key.slice(0, SHOWN_KEY_LENGTH)}…` : key

// ── from io-ts's list of errors to one failure

/** What io-ts's own classes carry beside a decoder; a user's codec may carry none of it. */
interface Described {
  readonly name: string
  readonly _tag?: unknown
  readonly type?: unknown
  readonly types?: unknown
  readonly tag?: unknown
  readonly props?: unknown
}

const isDescribed = (value: unknown): value is Described =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'

const WRAPPERS: ReadonlySet<unknown> = new Set([
  'ReadonlyType',
  'RefinementType',
  'ExactType',
  'RecursiveType',
])

/** The codec below wrappers that add no step of their own to the context. */
const unwrap = (codec: unknown): Described | undefined => {
  let inner = codec
  while (isDescribed(inner) && WRAPPERS.has(inner._tag)) inner = inner.type
  return isDescribed(inner) ? inner : undefined
}

const tagOf = (error: t.ValidationError, index: number): unknown =>
  index < 0 ? undefined : unwrap(error.context[index]?.type)?._tag

const isUnion = (error: t.ValidationError, index: number): boolean => tagOf(error, index) === 'UnionType'

/** Whether the entry at an index is the number of a branch, rather than a key of the value. */
const isBranch = (error: t.ValidationError, index: number): boolean => {
  const parent = tagOf(error, index - 1)
  return index === 0 || parent === 'UnionType' || parent === 'IntersectionType'
}

const depthOf = (error: t.ValidationError): number =>
  error.context.reduce((depth, _, index) => (isBranch(error, index) ? depth : depth + 1), 0)

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u
const INDEX = /^\d+$/

/** A path, one step deeper. */
export const step = (path: string, key: string): string => {
  if (INDEX.test(key)) return `${path}[${key}]`
  if (!IDENTIFIER.test(key)) return `${path}[${JSON.stringify(shorten(key))}]`
  return path === '' ? shorten(key) : `${path}.${shorten(key)}`
}

const pathOf = (error: t.ValidationError): string =>
  error.context.reduce((path, { key }, index) => (isBranch(error, index) ? path : step(path, key)), '')

type Group = readonly [t.ValidationError, ...ReadonlyArray<t.ValidationError>]

interface Telling {
  readonly path: string
  /** Nothing, when the codec of a user tells no context, or one that names no codec. */
  readonly expected: string | undefined
  readonly value: unknown
  /** Steps to it. */
  readonly depth: number
}

/** The telling failure among those that start with the same context up to `from`. */
const tell = (errors: Group, from: number): Telling => {
  const first = errors[0]
  const last = first.context.length - 1
  let union = from
  while (union < last && !isUnion(first, union)) union += 1
  if (union >= last) return spokenByTag(first, last)
  const entry = first.context[union]
  const inside = errors.filter((error) => error.context[union] === entry && error.context.length > union + 1)
  const candidates = branchesOf(inside, union + 1).map((branch) => ({
    told: tell(branch, union + 1),
    meant: !branch.some((error) => isWrongLiteral(error, union + 1)),
  }))
  const meant = candidates.filter((candidate) => candidate.meant)
  const told = (meant.length > 0 ? meant : candidates).map((candidate) => candidate.told)
  const whole = spoken({ value: entry?.actual, context: first.context.slice(0, union + 1) }, union)
  const deepest = Math.max(...told.map(({ depth }) => depth))
  const [best, ...others] = told.filter(({ depth }) => depth === deepest)
  return best !== undefined && others.length === 0 && best.depth > whole.depth ? best : whole
}

/** The entry that names what was expected: not a nameless part of an intersection, but the intersection. */
const spoken = (error: t.ValidationError, last: number): Telling => {
  let at = last
  while (at > 0 && tagOf(error, at - 1) === 'IntersectionType') at -= 1
  const codec: unknown = error.context[at]?.type
  const expected = isDescribed(codec) ? codec.name : undefined
  return { path: pathOf(error), expected, value: error.value, depth: depthOf(error) }
}

/** A union told apart by a tag refuses an unknown tag as a whole; the tag is what is wrong. */
const spokenByTag = (error: t.ValidationError, last: number): Telling => {
  const whole = spoken(error, last)
  const { path, expected, value, depth } = whole
  const codec = unwrap(error.context[last]?.type)
  const tag = codec?.tag
  if (typeof tag !== 'string' || !Fields.is(value)) return whole
  const tags = tagsOf(codec, tag)
  const one = tags.length > 0 && tags.length <= SHOWN_TAGS ? tags.join(' | ') : `${tag} of ${expected}`
  return { path: step(path, tag), expected: one, value: value[tag], depth: depth + 1 }
}

const SHOWN_TAGS = 10

/** The tags of a union's branches, as they are written. */
const tagsOf = (codec: unknown, tag: string): ReadonlyArray<string> => {
  const { types, props } = unwrap(codec) ?? {}
  if (Array.isArray(types)) return types.flatMap((type) => tagsOf(type, tag))
  const literal = Fields.is(props) ? unwrap(props[tag]) : undefined
  return literal === undefined ? [] : [literal.name]
}

const branchesOf = (errors: ReadonlyArray<t.ValidationError>, index: number): ReadonlyArray<Group> => {
  const branches = new Map<string | undefined, [t.ValidationError, ...Array<t.ValidationError>]>()
  for (const error of errors) {
    const key = error.context[index]?.key
    const branch = branches.get(key)
    if (branch === undefined) branches.set(key, [error])
    else branch.push(error)
  }
  return [...branches.values()]
}

/** Whether a union has more than literals in it, such as a number or `latest`: then its literals are no tags. */
const isOneOfMany = (error: t.ValidationError, index: number): boolean => {
  if (!isUnion(error, index)) return false
  const types = unwrap(error.context[index]?.type)?.types
  return Array.isArray(types) && types.some((type) => unwrap(type)?._tag !== 'LiteralType')
}

/** Whether a branch failed because a literal right under it (its tag) is another one: then it was not the one meant. */
const isWrongLiteral = (error: t.ValidationError, branch: number): boolean => {
  const last = error.context.length - 1
  if (tagOf(error, last) !== 'LiteralType' || isOneOfMany(error, last - 1)) return false
  let steps = 0
  for (let index = branch + 1; index <= last; index += 1) if (!isBranch(error, index)) steps += 1
  return steps <= 1
}

const toFailure = (errors: ReadonlyArray<t.ValidationError>, name: string, given: unknown): DecodeFailure => {
  const [first, ...rest] = errors
  if (first === undefined) return { path: '', expected: name, found: describeFound(given) }
  const { path, expected, value } = tell([first, ...rest], 0)
  return { path, expected: expected ?? name, found: describeFound(value) }
}

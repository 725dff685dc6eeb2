import type * as t from 'io-ts'
import { grouped } from '../util/grouped.js'
import { step } from '../util/step.js'
import type { DecodeFailure } from './DecodeFailure.js'
import { describeFound } from './describeFound.js'
import { Fields } from './Fields.js'

/** The fields that io-ts's own classes have besides a decoder; a user's codec may have none of them. */
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

/** Unwraps the wrappers that add no step of their own to the context. */
const unwrap = (codec: unknown): Described | undefined => {
  let inner = codec
  while (isDescribed(inner) && WRAPPERS.has(inner._tag)) inner = inner.type
  return isDescribed(inner) ? inner : undefined
}

/** The `_tag` of the codec at an index of an error's context. */
const codecTag = (error: t.ValidationError, index: number): unknown =>
  index < 0 ? undefined : unwrap(error.context[index]?.type)?._tag

const isUnion = (error: t.ValidationError, index: number): boolean => codecTag(error, index) === 'UnionType'

/** Whether the context entry at an index names a branch rather than a key of the value. */
const isBranch = (error: t.ValidationError, index: number): boolean => {
  const parent = codecTag(error, index - 1)
  return index === 0 || parent === 'UnionType' || parent === 'IntersectionType'
}

const depthOf = (error: t.ValidationError): number =>
  error.context.reduce((depth, _, index) => (isBranch(error, index) ? depth : depth + 1), 0)

const pathOf = (error: t.ValidationError): string =>
  error.context.reduce((path, { key }, index) => (isBranch(error, index) ? path : step(path, key)), '')

type Group = readonly [t.ValidationError, ...ReadonlyArray<t.ValidationError>]

interface Diagnosis {
  readonly path: string
  /** `undefined` if a user's codec gives no context, or one that names no codec. */
  readonly expected: string | undefined
  readonly value: unknown
  /** Number of steps in the path. */
  readonly depth: number
}

/** The most informative diagnosis of errors that share their context up to `from`. */
const diagnose = (errors: Group, from: number): Diagnosis => {
  const first = errors[0]
  const last = first.context.length - 1
  let union = from
  while (union < last && !isUnion(first, union)) union += 1
  if (union >= last) return diagnosisOfTag(first, last)
  const entry = first.context[union]
  const inside = errors.filter((error) => error.context[union] === entry && error.context.length > union + 1)
  const branches = branchesOf(inside, union + 1)
  const meant = branches.filter((branch) => !branch.some((error) => isWrongLiteral(error, union + 1)))
  const diagnoses = (meant.length > 0 ? meant : branches).map((branch) => diagnose(branch, union + 1))
  const whole = diagnosisAt({ value: entry?.actual, context: first.context.slice(0, union + 1) }, union)
  const deepest = Math.max(...diagnoses.map(({ depth }) => depth))
  const [best, ...others] = diagnoses.filter(({ depth }) => depth === deepest)
  return best !== undefined && others.length === 0 && best.depth > whole.depth ? best : whole
}

/** What the codec at an index of the context expected; for a part of an intersection, what the intersection did. */
const diagnosisAt = (error: t.ValidationError, last: number): Diagnosis => {
  let at = last
  while (at > 0 && codecTag(error, at - 1) === 'IntersectionType') at -= 1
  const codec: unknown = error.context[at]?.type
  const expected = isDescribed(codec) ? codec.name : undefined
  return { path: pathOf(error), expected, value: error.value, depth: depthOf(error) }
}

/** io-ts blames the whole value for an unknown tag of a tagged union; this blames the tag. */
const diagnosisOfTag = (error: t.ValidationError, last: number): Diagnosis => {
  const whole = diagnosisAt(error, last)
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

const branchesOf = (errors: ReadonlyArray<t.ValidationError>, index: number): ReadonlyArray<Group> => [
  ...grouped(errors, ({ context }) => context[index]?.key).values(),
]

/** Whether a union has other branches than literals, as "a number, or `latest`" has: then its literals are no tags. */
const isMixedUnion = (error: t.ValidationError, index: number): boolean => {
  if (!isUnion(error, index)) return false
  const types = unwrap(error.context[index]?.type)?.types
  return Array.isArray(types) && types.some((type) => unwrap(type)?._tag !== 'LiteralType')
}

/** Whether a branch failed because a literal directly under it (its tag) does not match: then it was not meant. */
const isWrongLiteral = (error: t.ValidationError, branch: number): boolean => {
  const last = error.context.length - 1
  if (codecTag(error, last) !== 'LiteralType' || isMixedUnion(error, last - 1)) return false
  let steps = 0
  for (let index = branch + 1; index <= last; index += 1) if (!isBranch(error, index)) steps += 1
  return steps <= 1
}

/**
 * Reduces all errors that io-ts reports to one failure, the most informative one.
 *
 * @param name - name of the codec
 * @param given - the value that it refused
 */
export const toFailure = (
  errors: ReadonlyArray<t.ValidationError>,
  name: string,
  given: unknown,
): DecodeFailure => {
  const [first, ...rest] = errors
  if (first === undefined) return { path: '', expected: name, found: describeFound(given) }
  const { path, expected, value } = diagnose([first, ...rest], 0)
  return { path, expected: expected ?? name, found: describeFound(value) }
}

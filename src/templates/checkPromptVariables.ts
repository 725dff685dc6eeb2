import type { Either } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { left, right } from '#fp/Either'
import { Fields } from '../codecs/Fields.js'
import { isCodec } from '../codecs/isCodec.js'
import type { PromptVersion } from '../codecs/PromptVersion.js'
import { refuse } from '../codecs/refuse.js'
import { InvalidInput } from '../errors.js'
import { compileTemplate } from './compileTemplate.js'
import { isTemplatePart } from './isTemplatePart.js'

/** The fields that a codec describes, and whether a value always has them. `undefined` when they can't be known. */
type FieldsOf = ReadonlyMap<string, boolean> | undefined

/** io-ts's own codecs, told apart by their tags, which work across duplicate installs. */
type TaggedCodec =
  | t.InterfaceType<t.Props>
  | t.StrictType<t.Props>
  | t.PartialType<t.Props>
  | t.IntersectionType<Array<t.Mixed>>
  | t.UnionType<Array<t.Mixed>>
  | t.ExactType<t.Mixed>
  | t.ReadonlyType<t.Mixed>
  | t.RefinementType<t.Mixed>

const propsOf = (props: t.Props, always: boolean): FieldsOf =>
  new Map(Object.entries(props).map(([name, codec]) => [name, always && !codec.is(undefined)]))

/** The fields of an intersection: one that a part always has is always there. */
const together = (parts: ReadonlyArray<FieldsOf>): FieldsOf => {
  const all = new Map<string, boolean>()
  for (const part of parts) {
    if (part === undefined) return undefined
    for (const [name, always] of part) all.set(name, always || all.get(name) === true)
  }
  return all
}

/** The fields of a union: one that every member always has is always there. */
const either = (members: ReadonlyArray<FieldsOf>): FieldsOf => {
  const all = together(members)
  return (
    all && new Map([...all.keys()].map((name) => [name, members.every((one) => one?.get(name) === true)]))
  )
}

const fieldsOf = (codec: t.Mixed): FieldsOf => {
  // A codec may be none of these: then no case below is its own.
  const tagged = codec as TaggedCodec
  switch (tagged._tag) {
    case 'InterfaceType':
    case 'StrictType':
      return propsOf(tagged.props, true)
    case 'PartialType':
      return propsOf(tagged.props, false)
    case 'IntersectionType':
      return together(tagged.types.map(fieldsOf))
    case 'UnionType':
      return either(tagged.types.map(fieldsOf))
    case 'ExactType':
    case 'ReadonlyType':
    case 'RefinementType':
      return fieldsOf(tagged.type)
    default:
      return undefined
  }
}

/** The templates among a version's texts, each with its path. */
const templatesOf = ({ messages }: PromptVersion): ReadonlyArray<readonly [path: string, text: string]> =>
  (messages ?? []).flatMap(({ content }, index) => {
    const path = `messages[${index}].content`
    if (typeof content === 'string') return [[path, content] as const]
    return (content ?? []).flatMap((part, position) =>
      isTemplatePart(part) ? [[`${path}[${position}].text`, part.text] as const] : [],
    )
  })

/** The platform lists variables without a default as empty ones. */
const hasDefault = (variables: Fields, name: string): boolean =>
  Object.hasOwn(variables, name) && variables[name] != null && variables[name] !== ''

const checkVersion = (codec: t.Mixed, version: PromptVersion): ReadonlyArray<string> => {
  const subject = `Version ${version.version} of the prompt`
  const fields = fieldsOf(codec)
  if (fields === undefined)
    throw new InvalidInput('checkPromptVariables', {
      path: 'codec',
      expected: 'a codec whose fields are known (t.type, t.partial, or built from these)',
      found: codec.name,
    })
  const texts = templatesOf(version)
  const read = texts.flatMap(([path, text]) => compileTemplate(subject, path, text).variables)
  const names = [...new Set(read)].sort()
  const defaults = Fields.is(version.variables) ? version.variables : {}
  const missing = names.filter((name) => fields.get(name) !== true && !hasDefault(defaults, name))
  if (missing.length === 0) return names
  const optional = missing.every((name) => fields.has(name))
  throw new InvalidInput(subject, {
    path: missing.join(', '),
    expected: `${missing.length === 1 ? 'a field' : 'fields'} that every ${codec.name} has`,
    found: optional ? 'optional' : 'none',
  })
}

/**
 * Checks at start-up that a codec provides what a stored prompt reads. Otherwise only a model's reply would show it: the
 * platform renders a missing variable as nothing.
 *
 * Each variable that the version's messages read must be a field that the codec's values always have, or must have a default
 * in the version; an empty default counts as none. Further fields of the codec are fine.
 *
 * @param codec - the `variables` of a `respanGenerate`; built of `t.type`, `t.partial`, intersections, unions, refinements,
 * exact and readonly codecs
 * @returns a function of the version that gives the names it reads, in alphabetical order; or an `InvalidInput` that names
 * what is missing, a text that isn't a template, or a codec whose fields can't be known
 * @throws InvalidInput for what isn't a codec
 *
 * @example
 * fromPromptVersion('greeting').pipe(map(checkPromptVariables(Variables)))
 *
 * @see fromPromptVersion
 */
export const checkPromptVariables = (
  codec: t.Mixed,
): ((version: PromptVersion) => Either<InvalidInput, ReadonlyArray<string>>) => {
  if (!isCodec(codec)) refuse('checkPromptVariables', 'codec', 'an io-ts codec', codec)
  return (version) => {
    try {
      return right(checkVersion(codec, version))
    } catch (error) {
      if (error instanceof InvalidInput) return left(error)
      throw error
    }
  }
}

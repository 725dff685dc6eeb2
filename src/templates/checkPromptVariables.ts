import type { Either } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { left, right } from '#fp/Either'
import { Fields } from '../codecs/Fields.js'
import { hasMethods } from '../codecs/hasMethods.js'
import type { PromptVersion } from '../codecs/PromptVersion.js'
import { refuse } from '../codecs/refuse.js'
import { InvalidInput } from '../errors.js'
import { compileTemplate } from './compileTemplate.js'
import { isTemplatePart } from './isTemplatePart.js'

/** Which fields a codec describes: whether a value always has them. `undefined` where that can't be known. */
type FieldsOf = ReadonlyMap<string, boolean> | undefined

/** io-ts's own codecs by their tags, which work across duplicate installs. */
type Known =
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

/** The fields of all parts; one that is always there in a part is always there. */
const together = (parts: ReadonlyArray<FieldsOf>): FieldsOf => {
  const all = new Map<string, boolean>()
  for (const part of parts) {
    if (part === undefined) return undefined
    for (const [name, always] of part) all.set(name, always || all.get(name) === true)
  }
  return all
}

/** The fields of any member; one is always there when it is so in each. */
const either = (members: ReadonlyArray<FieldsOf>): FieldsOf => {
  const all = together(members)
  return (
    all && new Map([...all.keys()].map((name) => [name, members.every((one) => one?.get(name) === true)]))
  )
}

const fieldsOf = (codec: t.Mixed): FieldsOf => {
  // Not every codec is one of these: then no case below is its.
  const known = codec as Known
  switch (known._tag) {
    case 'InterfaceType':
    case 'StrictType':
      return propsOf(known.props, true)
    case 'PartialType':
      return propsOf(known.props, false)
    case 'IntersectionType':
      return together(known.types.map(fieldsOf))
    case 'UnionType':
      return either(known.types.map(fieldsOf))
    case 'ExactType':
    case 'ReadonlyType':
    case 'RefinementType':
      return fieldsOf(known.type)
    default:
      return undefined
  }
}

/** The texts of a version that are templates, each with where it stands. */
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

const checked = (codec: t.Mixed, version: PromptVersion): ReadonlyArray<string> => {
  const subject = `Version ${version.version} of the prompt`
  const fields = fieldsOf(codec)
  if (fields === undefined)
    throw new InvalidInput('checkPromptVariables', {
      path: 'codec',
      expected: 'a codec whose fields are known (t.type, t.partial and what is made of them)',
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
 * Checks that a codec provides what a stored prompt reads, at start-up rather than in the reply of a model that was asked
 * with half a prompt: the platform renders a missing variable as nothing.
 *
 * Each variable that the version's messages read must be a field which the codec's values always have, or have a default
 * in the version; an empty default counts as none. Further fields of the codec are fine.
 *
 * @param codec - the `variables` of a `respanGenerate`; built of `t.type`, `t.partial`, intersections, unions,
 * refinements, exact and readonly ones
 * @returns a function of the version that gives the names which it reads, in alphabetical order; or an `InvalidInput`
 * that names what is missing, a template that isn't one, or a codec whose fields can't be known
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
  if (!hasMethods(codec, 'decode')) refuse('checkPromptVariables', 'codec', 'an io-ts codec', codec)
  return (version) => {
    try {
      return right(checked(codec, version))
    } catch (error) {
      if (error instanceof InvalidInput) return left(error)
      throw error
    }
  }
}

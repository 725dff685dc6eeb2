import type * as t from 'io-ts'
import { of } from 'rxjs'
import { ChatMessage } from '../codecs/ChatMessage.js'
import type { MessageContent } from '../codecs/ContentPart.js'
import { checked } from '../codecs/checked.js'
import { Fields } from '../codecs/Fields.js'
import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'
import { InvalidInput } from '../errors.js'
import { compileTemplate } from '../templates/compileTemplate.js'
import { isTemplatePart } from '../templates/isTemplatePart.js'
import { plainValue } from '../templates/plainValue.js'
import { checkCodec } from './checkCodec.js'
import { component } from './component.js'
import { encodedVariables } from './encodedVariables.js'
import type { Component } from './Flattening.js'

/** An object whose fields are a template's variables; interfaces are fine, arrays are not. */
export type Variables = object & { readonly [Symbol.iterator]?: never }

/** How the input of a template is checked. */
export interface BuildPromptOptions<A> {
  /** Checks the input, item by item; what is rendered is its encoded form. */
  readonly variables?: t.Type<A, unknown, unknown>
  /** Which variables an item must have: all that the template reads (`'*'`, the default), or only these. */
  readonly required?: '*' | ReadonlyArray<string>
}

/** The forms of `buildPrompt`: a text makes texts, messages make messages, and either makes either. */
export interface BuildPrompt {
  <A extends Variables>(template: string, options?: BuildPromptOptions<A>): Component<A, string>
  <A extends Variables>(
    template: ReadonlyArray<ChatMessage>,
    options?: BuildPromptOptions<A>,
  ): Component<A, ReadonlyArray<ChatMessage>>
  <A extends Variables>(
    template: string | ReadonlyArray<ChatMessage>,
    options?: BuildPromptOptions<A>,
  ): Component<A, string | ReadonlyArray<ChatMessage>>
}

const SUBJECT = 'buildPrompt'

/** A compiled template, or list of messages with templates in them: the variables it reads, and how it is rendered. */
interface Compiled<B> {
  readonly variables: ReadonlyArray<string>
  readonly render: (values: Fields) => B
}

const RENDERED: ReadonlySet<string> = new Set(['system', 'developer', 'user'])

const unchanged = <B>(value: B): Compiled<B> => ({ variables: [], render: () => value })

const compilePart = <P extends { readonly type: string }>(part: P, path: string): Compiled<P> => {
  if (!isTemplatePart(part)) return unchanged(part)
  const { variables, render } = compileTemplate(SUBJECT, `${path}.text`, part.text)
  return { variables, render: (values) => ({ ...part, text: render(values) }) }
}

const compileAll = <B>(compiled: ReadonlyArray<Compiled<B>>): Compiled<ReadonlyArray<B>> => ({
  variables: compiled.flatMap(({ variables }) => variables),
  render: (values) => compiled.map(({ render }) => render(values)),
})

const compileContent = (content: MessageContent, path: string): Compiled<MessageContent> =>
  typeof content === 'string'
    ? compileTemplate(SUBJECT, path, content)
    : compileAll(content.map((part, index) => compilePart(part, `${path}[${index}]`)))

const compileMessage = (message: ChatMessage, index: number): Compiled<ChatMessage> => {
  const { role, content } = message
  if (!RENDERED.has(role) || content == null) return unchanged(message)
  const compiled = compileContent(content, `template[${index}].content`)
  return {
    variables: compiled.variables,
    render: (values) => ({ ...message, content: compiled.render(values) }),
  }
}

const compileMessages = (template: ReadonlyArray<unknown>): Compiled<ReadonlyArray<ChatMessage>> => {
  if (template.length === 0) refuse(SUBJECT, 'template', 'at least one message', template)
  const messages = template.map((message, index) =>
    checked(SUBJECT, ChatMessage, message, `template[${index}]`),
  )
  return compileAll(messages.map(compileMessage))
}

const compile = (template: unknown): Compiled<string | ReadonlyArray<ChatMessage>> => {
  if (typeof template === 'string') return compileTemplate(SUBJECT, 'template', template)
  if (Array.isArray(template)) return compileMessages(template)
  return refuse(SUBJECT, 'template', 'a string or a list of messages', template)
}

/** Compiles a template so that the stack of an error starts where `buildPrompt` was called, not deep in the compiler. */
const compiled = (template: unknown): ReturnType<typeof compile> => {
  try {
    return compile(template)
  } catch (error) {
    if (error instanceof InvalidInput) Error.captureStackTrace?.(error, built)
    throw error
  }
}

const requiredNames = (required: unknown, variables: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (required === '*') return [...new Set(variables)].sort()
  if (Array.isArray(required) && required.every((name) => typeof name === 'string')) return required
  return refuse(SUBJECT, 'required', "'*' or a list of names", required)
}

/** The options as the implementation sees them, checked when the operator is built. */
interface AnyOptions {
  readonly variables?: t.Mixed
  readonly required?: unknown
}

const OPTIONS: Readonly<Record<keyof AnyOptions, true>> = { variables: true, required: true }

const built = (
  template: unknown,
  options: AnyOptions = {},
): Component<unknown, string | ReadonlyArray<ChatMessage>> => {
  refuseUnknown(SUBJECT, options, OPTIONS)
  const { variables: codec, required = '*' } = options
  checkCodec(SUBJECT, codec)
  const { variables, render } = compiled(template)
  const names = requiredNames(required, variables)

  const valuesOf = (input: unknown): Fields => {
    const encoded = codec === undefined ? input : encodedVariables(SUBJECT, codec, input)
    const values = plainValue(SUBJECT, encoded)
    if (!Fields.is(values)) return refuse(SUBJECT, '', 'an object with the variables', values)
    const missing = names.filter((name) => !Object.hasOwn(values, name) || values[name] === undefined)
    if (missing.length === 0) return values
    throw new InvalidInput(SUBJECT, {
      path: missing.join(', '),
      expected: missing.length === 1 ? 'a value' : 'values',
      found: 'undefined',
    })
  }

  return component(SUBJECT, (input: unknown) => of(render(valuesOf(input))), { type: 'task' })
}

/**
 * Fills a Jinja template with each item's fields.
 *
 * ```
 * source                       --a-----b--|     a = { topic: 'tea' }, b = { topic: 'rain' }
 * buildPrompt('On {{topic}}')  --x-----y--|     x = 'On tea', y = 'On rain'
 * ```
 *
 * In a list of messages, the texts of system, developer and user messages are templates; other messages pass through.
 * Nothing is escaped. Each line break of the template becomes a newline, and one at the end is dropped; other whitespace
 * stays unless the template itself trims it. Values are data: braces in a value stay as they are.
 *
 * A variable is present when the item has the field and it isn't `undefined`; `null` is present, and renders as nothing. A
 * missing variable that isn't required also renders as nothing, but reading an attribute of it fails. A variable that the
 * template sets itself isn't an input. Dates render in ISO form, maps like objects, sets like lists.
 *
 * Filters, tests and methods are Jinja's and return what Jinja's do, with these differences: lists, objects and booleans
 * render as JSON; `tojson` escapes nothing for HTML and keeps the order of keys; and `selectattr('meta.url', 'equalto', url)`
 * and the like follow dotted paths.
 *
 * Errors: `InvalidInput`, thrown at once for an unknown option, for `variables` that aren't a codec and, with line and
 * column, for a template with a mistake (syntax, unknown tag, filter, test or function, wrong arguments); emitted for
 * missing variables (it names them all), for an input that the codec refuses, and for one with a value that no template can
 * show (a function, a promise, a cycle).
 *
 * @param template - compiled once, when the operator is built
 * @param options - `variables` is a codec that checks the input; `required` defaults to `'*'`
 * @returns an operator that emits one prompt for each item
 *
 * @example
 * of({ topic: 'tea' }).pipe(buildPrompt('Tell me about {{topic}}.'))
 *
 * @see https://docs.haystack.deepset.ai/docs/promptbuilder
 */
// The overloads say what `built` does: a string for a string, messages for messages.
export const buildPrompt = built as BuildPrompt

import type * as t from 'io-ts'
import { ChatParams } from '../codecs/ChatParams.js'
import { ChatRequest } from '../codecs/ChatRequest.js'
import { checked } from '../codecs/checked.js'
import { checkedIfGiven } from '../codecs/checkedIfGiven.js'
import { defined } from '../codecs/defined.js'
import { Fields } from '../codecs/Fields.js'
import { fieldsOf } from '../codecs/fieldsOf.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import { user } from '../codecs/messages.js'
import { PromptVariables } from '../codecs/PromptReference.js'
import { RespanAttributes } from '../codecs/RespanAttributes.js'
import { refuse } from '../codecs/refuse.js'
import { unknownField } from '../codecs/unknownField.js'
import { InvalidInput } from '../errors.js'
import type { Gateway } from '../sources/Gateway.js'
import { checkModel } from './checkModel.js'
import { type Each, isFunction } from './Each.js'
import { encodedVariables } from './encodedVariables.js'
import type { GenerateOptions, PromptInput } from './GenerateOptions.js'
import { promptOf } from './promptOf.js'

/** What a gateway is asked for one item. */
export interface ItemRequest {
  readonly request: ChatRequest
  /** The attributes that the gateway doesn't take. The span still records those of a trace. */
  readonly unsent?: RespanAttributes
}

/** An option's value for an item. Only what a function returns is checked here: a value was, when the operator was built. */
const resolved = <A, T>(
  name: string,
  codec: t.Decoder<unknown, T>,
  each: Each<A, T> | undefined,
  path: string,
  input: A,
): T | undefined => (isFunction(each) ? checkedIfGiven(name, codec, each(input), path) : each)

const INPUT = 'a string, a list of messages, or an object with a prompt or messages'
const PROMPT_INPUT = 'an object with variables or messages, a string, or a list of messages'

const PROMPT_INPUT_FIELDS: Readonly<Record<keyof PromptInput, true>> = {
  variables: true,
  messages: true,
  model: true,
  params: true,
  attributes: true,
}

/** Refuses an item with no field that would be read: its fields are most likely the variables, put one level too high. */
const refuseUnread = (name: string, input: Fields): Fields => {
  const isRead = Object.keys(PROMPT_INPUT_FIELDS).some((field) => input[field] !== undefined)
  const unknown = isRead ? undefined : unknownField(input, PROMPT_INPUT_FIELDS)
  if (unknown === undefined) return input
  const { key, value, expected } = unknown
  return refuse(name, key, `${expected}; the variables of a prompt go under variables`, value)
}

/** Describes a promise or an observable that stands where its value was meant, because nobody flattened it. */
const unflattened = (input: unknown): string | undefined => {
  if (typeof input !== 'object' || input === null) return undefined
  if ('then' in input) return 'a promise: await it in component() or concatMap()'
  return 'subscribe' in input ? 'an observable: flatten it with concatMap()' : undefined
}

/** Brings every form of input into one. What is in it is checked by the request's codec. */
const itemOf = (name: string, input: unknown, byPrompt: boolean): Fields => {
  if (typeof input === 'string') return { messages: [user(input)] }
  if (Array.isArray(input)) return { messages: input }
  const expected = byPrompt ? PROMPT_INPUT : INPUT
  const found = unflattened(input)
  if (found !== undefined) throw new InvalidInput(name, { path: 'input', expected, found })
  if (!Fields.is(input)) return refuse(name, 'input', expected, input)
  if (byPrompt) return refuseUnread(name, input)
  const { prompt, ...others } = input
  if (prompt === undefined)
    return others.messages === undefined ? refuse(name, 'input', expected, input) : input
  if (others.messages !== undefined) refuse(name, 'messages', 'no messages alongside prompt', others.messages)
  if (typeof prompt !== 'string') return refuse(name, 'prompt', 'a string', prompt)
  return { ...others, messages: [user(prompt)] }
}

/** The fields that ask for a stream, with usage unless `extraBody` says otherwise. */
const streamed = (streamOptions: unknown): Fields => ({
  stream: true,
  stream_options: { include_usage: true, ...fieldsOf(streamOptions) },
})

/** Makes the request for an item. @throws InvalidInput for what can't be sent, and whatever the user's functions throw */
export const itemRequest = (
  name: string,
  options: GenerateOptions,
  gateway: Gateway,
  input: never,
): ItemRequest => {
  const takesAttributes = gateway.kind === 'respan'
  const byPrompt = options.promptId !== undefined
  const { variables: codec } = options
  const item: Fields =
    codec === undefined
      ? itemOf(name, input, byPrompt)
      : { variables: encodedVariables(name, codec, input, 'variables') }
  if (!byPrompt && Array.isArray(item.messages) && item.messages.length === 0)
    refuse(name, 'messages', 'at least one message', item.messages)
  checkModel(name, item.model)
  checkedIfGiven(name, PromptVariables, item.variables, 'variables')
  const params = resolved(name, ChatParams, options.params, 'params', input)
  const own = checkedIfGiven(name, ChatParams, item.params, 'params')
  const attributes = resolved(name, RespanAttributes, options.attributes, 'attributes', input)
  const ownAttributes = checkedIfGiven(name, RespanAttributes, item.attributes, 'attributes')
  const layer = (chat: ChatParams | undefined, respan: RespanAttributes | undefined): Fields => ({
    ...(byPrompt ? {} : chat),
    ...(takesAttributes ? respan : {}),
  })
  const operator = mergeAttributes(layer(params, attributes), options.extraBody ?? {})
  const fields = mergeAttributes(operator, layer(own, ownAttributes))
  const request = defined({
    ...fields,
    model: item.model ?? options.model,
    messages: item.messages,
    ...(byPrompt ? { prompt: promptOf(options, item.variables, params, own) } : {}),
    ...(options.stream === true ? streamed(fields.stream_options) : {}),
  })
  const decoded = checked(name, ChatRequest, request)
  if (takesAttributes) return { request: decoded }
  return {
    request: decoded,
    unsent: mergeAttributes<RespanAttributes>(attributes ?? {}, ownAttributes ?? {}),
  }
}

import type * as t from 'io-ts'
import { identity, Observable, type OperatorFunction, type Subscriber, type Subscription } from 'rxjs'
import { tryCatch } from '#fp/Either'
import type { ChatMessage } from '../codecs/ChatMessage.js'
import { ChatParams } from '../codecs/ChatParams.js'
import { ChatRequest } from '../codecs/ChatRequest.js'
import { checked } from '../codecs/checked.js'
import { defined } from '../codecs/defined.js'
import { Fields } from '../codecs/Fields.js'
import { mergeAttributes } from '../codecs/mergeAttributes.js'
import { user } from '../codecs/messages.js'
import { PromptReference, PromptVariables } from '../codecs/PromptReference.js'
import { picked } from '../codecs/picked.js'
import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import { RespanAttributes } from '../codecs/RespanAttributes.js'
import { refuse } from '../codecs/refuse.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { unknownField } from '../codecs/unknownField.js'
import { InvalidInput } from '../errors.js'
import type { Connection } from '../http/Connection.js'
import type { Platform } from '../http/endpoint.js'
import { chatGateway } from '../sources/chatGateway.js'
import { checkGateway } from '../sources/checkGateway.js'
import { observeChat } from '../sources/fromChat.js'
import type { Gateway } from '../sources/Gateway.js'
import { currentOpenSpan, type Frame, runInFrame } from '../tracing/frames.js'
import { homeFrame } from '../tracing/homeFrame.js'
import { checkCodec } from './checkCodec.js'
import type { Each } from './Each.js'
import { encodedVariables } from './encodedVariables.js'
import { type Component, type Flattening, flattenWith } from './flattening.js'
import { type Asked, generationSpan } from './generationSpan.js'
import { lift } from './lift.js'
import { nonEmptyName } from './nonEmptyName.js'
import { wholeReply } from './wholeReply.js'

/** What a request may override item by item. */
export interface PerItem {
  /** Instead of the operator's model. */
  readonly model?: string
  /** OpenAI's chat parameters, under their wire names, over the operator's. */
  readonly params?: ChatParams
  /** Respan's parameters, under their wire names, over the operator's; `metadata` merges by key. */
  readonly attributes?: RespanAttributes
}

/** What a generator with a model takes: a prompt, messages, or either with values that go over the operator's. */
export type GenerateInput =
  | string
  | ReadonlyArray<ChatMessage>
  | (PerItem & { readonly prompt: string; readonly messages?: never })
  | (PerItem & { readonly messages: ReadonlyArray<ChatMessage>; readonly prompt?: never })

/** What a generator with a stored prompt takes. `messages` follow the prompt's own as further turns. */
export interface PromptInput extends PerItem {
  /** The values of the prompt's variables, by name. */
  readonly variables?: Fields
  /** Further turns, after the prompt's own messages. */
  readonly messages?: ReadonlyArray<ChatMessage>
}

/** One's own connection, or a gateway value; never both. The connection last: of forms that are as near, messages are about that. */
export type Reach =
  | ({
      /** Where requests go, instead of a connection of the operator's own. */
      readonly gateway?: Gateway | undefined
    } & { readonly [K in keyof Connection]?: undefined })
  | (Connection & { readonly gateway?: undefined })

/** Of a stored prompt: version, schema and overrides, under their wire names. */
export type PromptSettings = {
  /** The version's number, or `latest` for the newest draft. Default: the deployed one. */
  readonly version?: number | 'latest'
  /** Sent as it is. */
  readonly prompt_slug?: string
  /** `true` asks for the rendered messages: `promptMessages` of the reply. Default `false`. */
  readonly echo?: boolean
  /** Sent as it is. */
  readonly is_custom_prompt?: boolean
  /** How the platform merges prompt and request: 2, or the old way, 1. Default 2. */
  readonly schema_version?: 1 | 2
  /** Of schema 2: parameters to change, over `params`; no messages. */
  readonly patch?: Fields
  /** Of schema 1: whether the stored prompt wins over the request. Default `true`. */
  readonly override?: boolean
  /** Of schema 1: parameters to change, over `params`. */
  readonly override_params?: Fields
  /** Of schema 1: whether the `messages` of `override_params` are appended to the stored ones, or replace them. */
  readonly override_config?: { readonly messages_override_mode?: 'append' | 'override' }
}

// No interface: as a part of an intersection each of its instances would be one of its own, and editors would show no comments.
export type PerOperator<A> = {
  /** Respan's parameters, under their wire names: a value, or a function of the input. */
  readonly attributes?: Each<A, RespanAttributes>
  /** OpenAI's chat parameters, under their wire names: a value, or a function of the input. */
  readonly params?: Each<A, ChatParams>
  /** Request fields that are newer than our codec; they go on the wire as they are. */
  readonly extraBody?: Fields
  /** The span's name. Default: the operator's own. */
  readonly name?: string
}

type Common<A> = Flattening & PerOperator<A> & Reach

/** How a model is asked. */
export type ByModel = Common<GenerateInput> & {
  /** The model's name. An item may name another. */
  readonly model: string
  readonly promptId?: never
  readonly variables?: never
}

/** What both forms of a stored prompt's generator have. */
interface StoredPrompt {
  /** The id of a prompt stored on the platform. */
  readonly promptId: string
  /** Which version of the prompt, and what to change of it. */
  readonly prompt?: PromptSettings
  /** Sent beside the prompt, whose own model wins unless `prompt` says otherwise. */
  readonly model?: string
}

/** How a stored prompt is run, with variables that nothing checks. */
export type ByPrompt = Common<PromptInput> &
  StoredPrompt & {
    readonly variables?: never
  }

/** How a stored prompt is run whose variables are the items, checked by a codec. */
export type ByTypedPrompt<A> = Common<A> &
  StoredPrompt & {
    /** A codec of the prompt's variables: its type is the input, each item is checked, and sent in its encoded form. */
    readonly variables: t.Type<A, unknown, unknown>
  }

export type Whole = {
  /** `true` emits a reply's events as they arrive, instead of the whole reply. Default `false`. */
  readonly stream?: false
}

export type Stream<S extends boolean> = {
  /** `true` emits a reply's events as they arrive, instead of the whole reply. */
  readonly stream: S
  /** `false`: a reply, also a `partial` one, has empty texts, only meta and usage, and memory stays constant. Default `true`. */
  readonly collect?: boolean
}

/** Where what is emitted is decided elsewhere, or may be. */
export type Streaming =
  | Stream<boolean>
  | {
      /** `true` emits a reply's events as they arrive, instead of the whole reply. Default `false`. */
      readonly stream?: boolean
      readonly collect?: never
    }

/** The options as the implementation sees them: every form at once, checked when the operator is built. */
export interface GenerateOptions extends Connection, Flattening, PerOperator<never> {
  readonly gateway?: Gateway
  readonly model?: string
  readonly promptId?: string
  readonly prompt?: PromptSettings
  readonly variables?: t.Mixed
  readonly stream?: boolean
  readonly collect?: boolean
}

/** What tells one generator from another. */
export interface Generator {
  readonly name: string
  readonly platform: Platform
}

const CONNECTION = [
  'apiKey',
  'baseUrl',
  'timeout',
  'idleTimeout',
  'fetch',
  'headers',
  'retry',
  'signal',
] as const satisfies ReadonlyArray<keyof Connection>

// Complete by its type, with the connection's, so that none that is read is refused.
const OPTIONS: Readonly<Record<Exclude<keyof GenerateOptions, (typeof CONNECTION)[number]>, OptionKind>> = {
  model: true,
  name: true,
  promptId: true,
  prompt: true,
  variables: true,
  params: true,
  attributes: true,
  extraBody: true,
  stream: 'boolean',
  collect: 'boolean',
  flatten: true,
  concurrency: true,
  gateway: true,
}

const KNOWN: Readonly<Record<string, OptionKind>> = {
  ...OPTIONS,
  ...Object.fromEntries(CONNECTION.map((option) => [option, true])),
}

/** Where an option belongs that other clients take at the top. */
const elsewhere = (option: string): string | undefined => {
  if (option === 'maxRetries') return 'retry.count'
  if (option === 'messages') return 'messages as the input'
  if (Object.hasOwn(ChatParams.type.props, option)) return `params.${option}`
  return Object.hasOwn(RespanAttributes.type.props, option) ? `attributes.${option}` : undefined
}

/** A part that may be left out, as its codec decodes it. */
const checkedIfGiven = <A>(
  name: string,
  codec: t.Decoder<unknown, A>,
  part: unknown,
  path: string,
): A | undefined => (part === undefined ? undefined : checked(name, codec, part, path))

const checkModel = (name: string, model: unknown): void => {
  if (model !== undefined) nonEmptyName(name, model, 'model', 'the name of a model')
}

const checkOptions = (name: string, options: GenerateOptions): void => {
  refuseUnknown(name, options, KNOWN, elsewhere)
  const { model, promptId, gateway, attributes, params, extraBody } = options
  if (model === undefined && promptId === undefined) refuse(name, 'model', 'a model, or a promptId', model)
  checkModel(name, model)
  if (promptId !== undefined) nonEmptyName(name, promptId, 'promptId', 'the id of a stored prompt')
  if (promptId === undefined) {
    const beside = (['variables', 'prompt'] as const).find((key) => options[key] !== undefined)
    if (beside !== undefined) refuse(name, beside, 'a promptId beside it', options[beside])
  }
  checkCodec(name, options.variables)
  if (gateway !== undefined) {
    checkGateway(name, gateway)
    const beside = CONNECTION.find((key) => options[key] !== undefined)
    if (beside !== undefined)
      refuse(name, beside, `nothing beside a gateway: give ${beside} to what makes it`, options[beside])
  }
  if (!isFunction(attributes)) checkedIfGiven(name, RespanAttributes, attributes, 'attributes')
  if (!isFunction(params)) checkedIfGiven(name, ChatParams, params, 'params')
  checkedIfGiven(name, Fields, extraBody, 'extraBody')
  checkedIfGiven(name, ChatRequest.type, extraBody, 'extraBody')
  const { prompt_id, variables, schema_version }: Fields =
    checkedIfGiven(name, Fields, options.prompt, 'prompt') ?? {}
  if (prompt_id !== undefined) refuse(name, 'prompt.prompt_id', 'promptId instead', prompt_id)
  if (variables !== undefined) refuse(name, 'prompt.variables', 'variables as the input instead', variables)
  if (schema_version !== undefined && schema_version !== 1 && schema_version !== 2)
    refuse(name, 'prompt.schema_version', '1 or 2', schema_version)
}

/** A stored prompt needs a gateway that has one, and settings that can be sent. */
const checkPrompt = (name: string, options: GenerateOptions, { kind }: Gateway): void => {
  if (options.promptId === undefined) return
  if (kind === 'openai') refuse(name, 'promptId', 'a Respan gateway, which stores prompts', options.promptId)
  checked(name, PromptReference, promptOf(options), 'prompt')
}

/** What the operator says for an item; a value was checked when the operator was built. */
const resolved = <A, T>(
  name: string,
  codec: t.Decoder<unknown, T>,
  each: Each<A, T> | undefined,
  path: string,
  input: A,
): T | undefined => (isFunction(each) ? checkedIfGiven(name, codec, each(input), path) : each)

// A codec's type is never a function, so a function is the one that takes the input.
const isFunction = <A, T>(each: Each<A, T> | undefined): each is (input: A) => T => typeof each === 'function'

const INPUT = 'a text, a list of messages, or an object with a prompt or messages'
const PROMPT_INPUT = 'an object with variables or messages, a text, or a list of messages'

const PROMPT_INPUT_FIELDS: Readonly<Record<keyof PromptInput, true>> = {
  variables: true,
  messages: true,
  model: true,
  params: true,
  attributes: true,
}

/** Refuses an item of which nothing would be read: its fields are the variables that the prompt would go without. */
const checkIsRead = (name: string, input: Fields): Fields => {
  const isRead = Object.keys(PROMPT_INPUT_FIELDS).some((field) => input[field] !== undefined)
  const unknown = isRead ? undefined : unknownField(input, PROMPT_INPUT_FIELDS)
  if (unknown === undefined) return input
  const { key, value, expected } = unknown
  return refuse(name, key, `${expected}; a prompt's variables stand under variables`, value)
}

/** What was meant to give the item stands in its place: a promise or an observable that nobody flattened. */
const unflattened = (input: unknown): string | undefined => {
  if (typeof input !== 'object' || input === null) return undefined
  if ('then' in input) return 'a promise: await it in component() or concatMap()'
  return 'subscribe' in input ? 'an observable: flatten it with concatMap()' : undefined
}

/** An item in the one form that all inputs have; the request's codec checks what it says. */
const itemOf = (name: string, input: unknown, byPrompt: boolean): Fields => {
  if (typeof input === 'string') return { messages: [user(input)] }
  if (Array.isArray(input)) return { messages: input }
  const expected = byPrompt ? PROMPT_INPUT : INPUT
  const found = unflattened(input)
  if (found !== undefined) throw new InvalidInput(name, { path: 'input', expected, found })
  if (!Fields.is(input)) return refuse(name, 'input', expected, input)
  if (byPrompt) return checkIsRead(name, input)
  const { prompt, ...others } = input
  if (prompt === undefined)
    return others.messages === undefined ? refuse(name, 'input', expected, input) : input
  if (others.messages !== undefined) refuse(name, 'messages', 'nothing beside a prompt', others.messages)
  if (typeof prompt !== 'string') return refuse(name, 'prompt', 'a text', prompt)
  return { ...others, messages: [user(prompt)] }
}

const promptOf = (
  { promptId = '', prompt = {} }: GenerateOptions,
  variables?: unknown,
  params?: ChatParams,
  own: ChatParams = {},
): Fields => {
  const { schema_version = 2, echo = false, ...settings } = prompt
  const head = {
    prompt_id: promptId,
    ...(variables === undefined ? {} : { variables }),
    schema_version,
    echo,
  }
  if (schema_version === 2) {
    const patch = mergeAttributes<Fields>({ ...params, ...settings.patch }, own)
    return { ...head, ...settings, ...(Object.keys(patch).length === 0 ? {} : { patch }) }
  }
  const { override = true, override_params, ...others } = settings
  const overrides = mergeAttributes<Fields>({ ...params, ...override_params }, own)
  return {
    ...head,
    ...others,
    override,
    ...(Object.keys(overrides).length === 0 ? {} : { override_params: overrides }),
  }
}

/** @throws InvalidInput for what can't be sent, and what the user's functions throw */
const askedOf = (name: string, options: GenerateOptions, gateway: Gateway, input: never): Asked => {
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
  const fieldsOf = (chat: ChatParams | undefined, respan: RespanAttributes | undefined): Fields => ({
    ...(byPrompt ? {} : chat),
    ...(takesAttributes ? respan : {}),
  })
  const operator = mergeAttributes(fieldsOf(params, attributes), options.extraBody ?? {})
  const request = defined({
    ...mergeAttributes(operator, fieldsOf(own, ownAttributes)),
    model: item.model ?? options.model,
    messages: item.messages,
    ...(byPrompt ? { prompt: promptOf(options, item.variables, params, own) } : {}),
    ...(options.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
  })
  const decoded = checked(name, ChatRequest, request)
  if (takesAttributes) return { request: decoded }
  return {
    request: decoded,
    unsent: mergeAttributes<RespanAttributes>(attributes ?? {}, ownAttributes ?? {}),
  }
}

/** Makes a generator: the part that `respanGenerate` and `openaiGenerate` share. */
export const generate = (
  generator: Generator,
  options: GenerateOptions = {},
): Component<never, Reply | ReplyEvent> => {
  checkOptions(generator.name, options)
  const { name = generator.name, stream = false, collect = true } = options
  nonEmptyName(generator.name, name)
  const gateway =
    options.gateway ?? chatGateway(generator.name, generator.platform, picked(options, CONNECTION))
  checkPrompt(generator.name, options, gateway)
  const flatten = flattenWith(generator.name, options)
  const emitted: OperatorFunction<ReplyEvent, Reply | ReplyEvent> = stream ? identity : wholeReply()

  const replies = (input: never, _: number, here?: Frame | null): Observable<Reply | ReplyEvent> => {
    const subscribe = (subscriber: Subscriber<Reply | ReplyEvent>): Subscription => {
      const home = here === undefined ? homeFrame(subscriber) : undefined
      if (home !== undefined) return runInFrame(home, subscribe, subscriber, undefined)
      const parent = currentOpenSpan()
      const ask = (): Asked => askedOf(generator.name, options, gateway, input)
      // What `ask` throws is the subscriber's error: RxJS makes it one here, and a span tells of it below.
      const events =
        parent === null
          ? observeChat(gateway, ask().request, collect, undefined)
          : generationSpan(parent, name, gateway, input, tryCatch(ask, identity), collect)
      return emitted(events).subscribe(subscriber)
    }
    return new Observable(subscribe)
  }
  return lift(name, flatten, replies, 'framed')
}

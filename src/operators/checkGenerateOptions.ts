import { ChatParams } from '../codecs/ChatParams.js'
import { ChatRequest, picksModel } from '../codecs/ChatRequest.js'
import { checked } from '../codecs/checked.js'
import { checkedIfGiven } from '../codecs/checkedIfGiven.js'
import { Fields } from '../codecs/Fields.js'
import { PromptReference } from '../codecs/PromptReference.js'
import { RespanAttributes } from '../codecs/RespanAttributes.js'
import { refuse } from '../codecs/refuse.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import type { Connection } from '../http/Connection.js'
import { connectionOptions } from '../http/connectionPolicy.js'
import type { Platform } from '../http/endpoint.js'
import { checkGateway } from '../sources/checkGateway.js'
import { keysOf } from '../util/keysOf.js'
import { checkCodec } from './checkCodec.js'
import { checkModel } from './checkModel.js'
import { checkName } from './checkName.js'
import { isFunction } from './Each.js'
import type { GenerateOptions } from './GenerateOptions.js'
import { promptOf } from './promptOf.js'

/** The options of a generator that say where requests go. */
export const CONNECTION_OPTIONS: ReadonlyArray<keyof Connection> = keysOf(connectionOptions)

// Its type, with the connection's, demands every option: none that is read can be refused as unknown.
const OPTIONS: Readonly<Record<Exclude<keyof GenerateOptions, keyof Connection>, OptionKind>> = {
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
  ...Object.fromEntries(CONNECTION_OPTIONS.map((option) => [option, true])),
}

/** Where an option belongs that OpenAI's clients, or Haystack's generators, call otherwise. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  maxRetries: 'retry.count',
  max_retries: 'retry.count',
  messages: 'messages as the input',
  generation_kwargs: 'params and attributes',
  prompt_variables: 'variables',
  streaming_callback: 'stream: true and tokens()',
}

/** Where an option belongs that other clients take at the top level. */
const elsewhere = (option: string): string | undefined => {
  if (Object.hasOwn(ELSEWHERE, option)) return ELSEWHERE[option]
  if (Object.hasOwn(ChatParams.type.props, option)) return `params.${option}`
  return Object.hasOwn(RespanAttributes.type.props, option) ? `attributes.${option}` : undefined
}

/** The settings that the platform ignores, by `schema_version`; it reads them with the other one. */
const IGNORED_BY_SCHEMA = { 1: ['patch'], 2: ['override', 'override_params', 'override_config'] } as const

/** Refuses a stored prompt where the gateway has none, and settings that can't be sent. */
const checkPrompt = (operator: string, kind: Platform, options: GenerateOptions): void => {
  const { promptId } = options
  if (promptId === undefined) {
    const beside = (['variables', 'prompt'] as const).find((key) => options[key] !== undefined)
    if (beside !== undefined) refuse(operator, beside, 'a promptId alongside it', options[beside])
    return
  }
  checkName(operator, promptId, 'promptId', 'the id of a stored prompt')
  if (kind === 'openai')
    refuse(operator, 'promptId', 'a Respan gateway (only Respan stores prompts)', promptId)
  checkCodec(operator, options.variables)
  const settings: Fields = checkedIfGiven(operator, Fields, options.prompt, 'prompt') ?? {}
  const { prompt_id, variables, schema_version = 2, patch, override_params } = settings
  if (prompt_id !== undefined) refuse(operator, 'prompt.prompt_id', 'promptId instead', prompt_id)
  if (variables !== undefined)
    refuse(operator, 'prompt.variables', 'variables as the input instead', variables)
  if (schema_version !== 1 && schema_version !== 2)
    return refuse(operator, 'prompt.schema_version', '1 or 2', schema_version)
  const unread = IGNORED_BY_SCHEMA[schema_version].find((key) => settings[key] !== undefined)
  if (unread !== undefined)
    refuse(
      operator,
      `prompt.${unread}`,
      `schema_version: ${3 - schema_version} alongside it`,
      settings[unread],
    )
  // Before they are merged, because merging would make an object of a text or a list.
  checkedIfGiven(operator, Fields, patch, 'prompt.patch')
  checkedIfGiven(operator, Fields, override_params, 'prompt.override_params')
  checked(operator, PromptReference, promptOf(options), 'prompt')
}

const MODEL: Readonly<Record<Platform, string>> = {
  openai: 'a model',
  respan: 'a model, a promptId, or attributes that pick a model',
}

/**
 * Refuses options of which no request can be made.
 *
 * @param operator - the generator's name: the first word of the error's message
 * @param platform - where requests go unless a gateway is given
 * @throws InvalidInput
 */
export const checkGenerateOptions = (
  operator: string,
  platform: Platform,
  options: GenerateOptions,
): void => {
  refuseUnknown(operator, options, KNOWN, elsewhere)
  const { name, model, promptId, gateway, attributes, params, extraBody } = options
  if (name !== undefined) checkName(operator, name)
  checkModel(operator, model)
  if (gateway !== undefined) {
    checkGateway(operator, gateway)
    const beside = CONNECTION_OPTIONS.find((key) => options[key] !== undefined)
    if (beside !== undefined)
      refuse(
        operator,
        beside,
        `no ${beside} alongside a gateway: pass it where the gateway is made`,
        options[beside],
      )
  }
  const kind = gateway === undefined ? platform : gateway.kind
  const isRouted =
    kind === 'respan' && (isFunction(attributes) || picksModel({ ...attributes, model: undefined }))
  if (model === undefined && promptId === undefined && !isRouted)
    refuse(operator, 'model', MODEL[kind], model)
  checkPrompt(operator, kind, options)
  if (!isFunction(attributes)) checkedIfGiven(operator, RespanAttributes, attributes, 'attributes')
  if (!isFunction(params)) checkedIfGiven(operator, ChatParams, params, 'params')
  checkedIfGiven(operator, Fields, extraBody, 'extraBody')
  checkedIfGiven(operator, ChatRequest.type, extraBody, 'extraBody')
}

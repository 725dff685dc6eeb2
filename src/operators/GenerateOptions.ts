import type * as t from 'io-ts'
import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatParams } from '../codecs/ChatParams.js'
import type { Fields } from '../codecs/Fields.js'
import type { RespanAttributes } from '../codecs/RespanAttributes.js'
import type { Connection } from '../http/Connection.js'
import type { Gateway } from '../sources/Gateway.js'
import type { Each } from './Each.js'
import type { Flattening } from './Flattening.js'

/** What an item may override. */
export interface PerItem {
  /** Replaces the operator's model. */
  readonly model?: string
  /** OpenAI's chat parameters, under their wire names. They override the operator's. */
  readonly params?: ChatParams
  /** Respan's parameters, under their wire names. They override the operator's; `metadata` merges by key. */
  readonly attributes?: RespanAttributes
}

/** The input of a generator with a model: a prompt, messages, or either with values that override the operator's. */
export type GenerateInput =
  | string
  | ReadonlyArray<ChatMessage>
  | (PerItem & { readonly prompt: string; readonly messages?: never })
  | (PerItem & { readonly messages: ReadonlyArray<ChatMessage>; readonly prompt?: never })

/** The input of a generator with a stored prompt. */
export interface PromptInput extends PerItem {
  /** The values of the prompt's variables, by name. */
  readonly variables?: Fields
  /** Further turns, sent after the prompt's own messages. */
  readonly messages?: ReadonlyArray<ChatMessage>
}

/** A connection or a gateway, never both. TypeScript explains a mismatch by the last form, so the usual one comes last. */
export type Reach =
  | ({
      /** Where requests go. It replaces the operator's own connection. */
      readonly gateway?: Gateway | undefined
    } & { readonly [K in keyof Connection]?: undefined })
  | (Connection & { readonly gateway?: undefined })

/** The settings of a stored prompt: version, schema and overrides, under their wire names. */
export type PromptSettings = {
  /** The number of a version, or `latest` for the newest draft. Default: the deployed version. */
  readonly version?: number | 'latest'
  /** Sent as it is. */
  readonly prompt_slug?: string
  /** `true` asks for the rendered messages, which the reply then has as `promptMessages`. Default `false`. */
  readonly echo?: boolean
  /** Sent as it is. */
  readonly is_custom_prompt?: boolean
  /** How the platform merges the prompt with the request: 1 is the old way. Default 2. */
  readonly schema_version?: 1 | 2
  /** Schema 2 only: parameters to change. They override `params`, and can't hold messages. */
  readonly patch?: Fields
  /** Schema 1 only: whether the stored prompt wins over the request. Default `true`. */
  readonly override?: boolean
  /** Schema 1 only: parameters to change. They override `params`. */
  readonly override_params?: Fields
  /** Schema 1 only: whether the `messages` of `override_params` are appended to the stored ones, or replace them. */
  readonly override_config?: { readonly messages_override_mode?: 'append' | 'override' }
}

// A type alias, because editors lose the comments of a generic interface that is part of an intersection: each instance is a
// type of its own.
export type PerOperator<A> = {
  /** Respan's parameters, under their wire names: a value, or a function of the input. */
  readonly attributes?: Each<A, RespanAttributes>
  /** OpenAI's chat parameters, under their wire names: a value, or a function of the input. */
  readonly params?: Each<A, ChatParams>
  /** Request fields that this version doesn't know yet, passed on as they are; fields that it knows are checked. */
  readonly extraBody?: Fields
  /** The span's name. Default: the operator's name. */
  readonly name?: string
}

type Common<A> = Flattening & PerOperator<A> & Reach

/** Attributes by which the platform picks the model. A `model` beside a group would override the group. */
type RoutingAttributes = RespanAttributes &
  (
    | Required<Pick<RespanAttributes, 'load_balance_group'>>
    | Required<Pick<RespanAttributes, 'load_balance_models'>>
    | Required<Pick<RespanAttributes, 'models'>>
  )

/** The options of a generator with a model, either named or picked by the platform. */
export type ByModel = Common<GenerateInput> & {
  readonly promptId?: never
  readonly prompt?: never
  readonly variables?: never
} & (
    | {
        readonly model?: undefined
        /** A load-balancing group, or candidates for the router; or a function of the input that returns them. */
        readonly attributes: Each<GenerateInput, RoutingAttributes>
      }
    | {
        /** The model's name. An item may name another. */
        readonly model: string
      }
  )

/** What both forms of a generator with a stored prompt have in common. */
interface StoredPrompt {
  /** The id of a prompt stored on the platform. */
  readonly promptId: string
  /** Which version of the prompt, and what to change in it. */
  readonly prompt?: PromptSettings
  /** Sent beside the prompt, whose own model wins unless `prompt` says otherwise. */
  readonly model?: string
}

/** The options of a generator with a stored prompt whose variables aren't checked. */
export type ByPrompt = Common<PromptInput> &
  StoredPrompt & {
    readonly variables?: never
  }

/** The options of a generator with a stored prompt whose variables are the items, checked by a codec. */
export type ByTypedPrompt<A> = Common<A> &
  StoredPrompt & {
    /** A codec of the prompt's variables. Its type is the input; each item is checked, and sent in its encoded form. */
    readonly variables: t.Type<A, unknown, unknown>
  }

export type Whole = {
  /** `true` emits a reply's events as they arrive, instead of the whole reply. Default `false`. */
  readonly stream?: false
}

export type Stream<S extends boolean> = {
  /** `true` emits a reply's events as they arrive, instead of the whole reply. */
  readonly stream: S
  /** `false`: replies, `partial` ones too, have empty texts, only meta and usage, and memory stays constant. Default `true`. */
  readonly collect?: boolean
}

/** Options whose `stream` may be known only at run time. */
export type Streaming =
  | Stream<boolean>
  | {
      /** `true` emits a reply's events as they arrive, instead of the whole reply. Default `false`. */
      readonly stream?: boolean
      readonly collect?: never
    }

/** The options as the implementation sees them: all forms in one, checked when the operator is built. */
export interface GenerateOptions extends Connection, Flattening, PerOperator<never> {
  readonly gateway?: Gateway
  readonly model?: string
  readonly promptId?: string
  readonly prompt?: PromptSettings
  readonly variables?: t.Mixed
  readonly stream?: boolean
  readonly collect?: boolean
}

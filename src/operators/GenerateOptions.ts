import type * as t from 'io-ts'
import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatParams } from '../codecs/ChatParams.js'
import type { Fields } from '../codecs/Fields.js'
import type { RespanAttributes } from '../codecs/RespanAttributes.js'
import type { Connection } from '../http/Connection.js'
import type { Gateway } from '../sources/Gateway.js'
import type { Each } from './Each.js'
import type { Flattening } from './flattening.js'

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

/** One's own connection, or a gateway value; never both. TypeScript explains a mismatch by the last form: the usual one. */
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
  /** Of schema 2 alone: parameters to change, over `params`; no messages. */
  readonly patch?: Fields
  /** Of schema 1 alone: whether the stored prompt wins over the request. Default `true`. */
  readonly override?: boolean
  /** Of schema 1 alone: parameters to change, over `params`. */
  readonly override_params?: Fields
  /** Of schema 1 alone: whether the `messages` of `override_params` are appended to the stored ones, or replace them. */
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

/** Attributes by which the platform picks the model. A `model` beside a group would take the group's place. */
type RoutingAttributes = RespanAttributes &
  (
    | Required<Pick<RespanAttributes, 'load_balance_group'>>
    | Required<Pick<RespanAttributes, 'load_balance_models'>>
    | Required<Pick<RespanAttributes, 'models'>>
  )

/** How a model is asked, or one that the platform picks. */
export type ByModel = Common<GenerateInput> & {
  readonly promptId?: never
  readonly prompt?: never
  readonly variables?: never
} & (
    | {
        readonly model?: undefined
        /** A load-balancing group, or candidates for the router; or a function of the input that gives them. */
        readonly attributes: Each<GenerateInput, RoutingAttributes>
      }
    | {
        /** The model's name. An item may name another. */
        readonly model: string
      }
  )

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

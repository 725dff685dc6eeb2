import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import type { Component } from './flattening.js'
import type {
  ByModel,
  ByPrompt,
  ByTypedPrompt,
  GenerateInput,
  GenerateOptions,
  PromptInput,
  Stream,
  Streaming,
  Whole,
} from './GenerateOptions.js'
import { generate } from './generate.js'

/**
 * The forms of a generator. Their order matters to inference: a typed prompt comes first, `stream: boolean` after `true` and
 * none. The last one takes options whose form is known only at run time; TypeScript explains options that fit none by it.
 */
export interface RespanGenerate {
  <A>(options: ByTypedPrompt<A> & Stream<true>): Component<A, ReplyEvent>
  <A>(options: ByTypedPrompt<A> & Whole): Component<A, Reply>
  (options: ByPrompt & Stream<true>): Component<PromptInput, ReplyEvent>
  (options: ByPrompt & Whole): Component<PromptInput, Reply>
  (options: ByModel & Stream<true>): Component<GenerateInput, ReplyEvent>
  (options: ByModel & Whole): Component<GenerateInput, Reply>
  <A>(options: ByTypedPrompt<A> & Streaming): Component<A, Reply | ReplyEvent>
  (options: ByPrompt & Streaming): Component<PromptInput, Reply | ReplyEvent>
  (options: ByModel & Streaming): Component<GenerateInput, Reply | ReplyEvent>
  <A>(
    options: (ByModel | ByPrompt | ByTypedPrompt<A>) & Streaming,
  ): Component<A & PromptInput & GenerateInput, Reply | ReplyEvent>
}

/**
 * Asks a model through the Respan gateway, for each item: a whole reply, or its tokens as they arrive.
 *
 * ```
 * source                             --p---------q--|
 * respanGenerate({ model })          ---------R---------(R|)
 * respanGenerate({ model, stream })  ---S-a-b-F---S-a-b-(F|)    S = ReplyStarted, a, b = TextDelta, F = ReplyFinished
 * ```
 *
 * A request goes out for each item when its turn comes (`flatten`, default one after the other), and is
 * aborted by unsubscribing, in every state: before the headers, between chunks, while waiting to retry.
 * Request values lie over each other: gateway, then operator, then item; `metadata` merges by key.
 *
 * Errors by tag: `InvalidInput` (thrown at once for options, emitted before any request for items, and for an address that
 * can't be used), `MissingApiKey`, `RateLimited`, `HttpError`, `NetworkError`, `Timeout`, `StreamInterrupted`, `GatewayError`,
 * `InvalidResponse`, `Aborted`.
 *
 * @param options - `model`, or `attributes` that leave it to the platform (`load_balance_group`, `models`), or `promptId` for a
 * prompt stored there. `variables: codec` makes the codec's
 * type the input and checks each item before any request. `attributes` and `params` take wire names.
 * Times are in ms: `timeout` for one attempt to its last byte, `idleTimeout` between two chunks.
 * @returns an operator that emits a `Reply` for each item, or with `stream: true` its `ReplyEvent`s
 *
 * @example
 * of('Why is the sky blue?').pipe(respanGenerate({ model: 'gpt-4o-mini' }))
 *
 * @see tokens, snapshots, wholeReply for the events; attempt and withFallback for failures
 */
// The overloads say what `generate` does with the options that it checks; types are erased after.
export const respanGenerate = ((options: GenerateOptions) =>
  generate('respanGenerate', 'respan', options)) as unknown as RespanGenerate

import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import type { Component } from './Flattening.js'
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
 * The forms of a generator. Inference depends on their order: a typed prompt comes first, and `stream: boolean` after
 * `stream: true` and no `stream`. The last form takes options whose form is known only at run time; if options fit no form,
 * TypeScript explains it by this one.
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
 * Asks a model through the Respan gateway for each item, and emits the whole reply, or its tokens as they arrive.
 *
 * ```
 * source                             --p---------q--|
 * respanGenerate({ model })          ---------R---------(R|)
 * respanGenerate({ model, stream })  ---S-a-b-F---S-a-b-(F|)    S = ReplyStarted, a, b = TextDelta, F = ReplyFinished
 * ```
 *
 * The request of an item goes out when its turn comes (`flatten`, by default one after the other). Unsubscribing aborts it
 * in every state: before the headers, between chunks, while waiting to retry. Values of the item override those of the
 * operator, which override those of the gateway; `metadata` merges by key.
 *
 * Errors by tag: `InvalidInput` (thrown at once for options; emitted before any request for an item, or for an address that
 * can't be used), `MissingApiKey`, `RateLimited`, `HttpError`, `NetworkError`, `Timeout`, `StreamInterrupted`, `GatewayError`,
 * `InvalidResponse`, `Aborted`.
 *
 * @param options - `model`, or `attributes` by which the platform picks one (`load_balance_group`, `models`), or `promptId`
 * for a prompt stored on the platform. `variables` makes its codec's type the input, and checks each item before any
 * request. `attributes` and `params` take wire names. Times are in ms: `timeout` limits one attempt up to its last byte,
 * `idleTimeout` the wait between two chunks.
 * @returns an operator that emits a `Reply` for each item, or its `ReplyEvent`s with `stream: true`
 *
 * @example
 * of('Why is the sky blue?').pipe(respanGenerate({ model: 'gpt-4o-mini' }))
 *
 * @see tokens, snapshots and wholeReply for the events; attempt and withFallback for failures
 */
// The overloads say what `generate` does with the options that it checks; types are erased after.
export const respanGenerate = ((options: GenerateOptions) =>
  generate('respanGenerate', 'respan', options)) as unknown as RespanGenerate

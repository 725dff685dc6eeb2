import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import type { Component } from './flattening.js'
import type { ByModel, GenerateInput, GenerateOptions, Stream, Streaming, Whole } from './GenerateOptions.js'
import { generate } from './generate.js'

/** A request to a model of OpenAI's: as to one of the gateway's, but no attributes go with it. */
export type ByOpenaiModel = ByModel & { readonly attributes?: never }

/** The forms of `openaiGenerate`: whole replies, or with `stream: true` their events. */
export interface OpenaiGenerate {
  (options: ByOpenaiModel & Stream<true>): Component<GenerateInput, ReplyEvent>
  (options: ByOpenaiModel & Whole): Component<GenerateInput, Reply>
  (options: ByOpenaiModel & Streaming): Component<GenerateInput, Reply | ReplyEvent>
}

/**
 * `respanGenerate` against OpenAI itself, or any server that speaks its chat completions: for tracing without
 * the gateway. It sends no Respan field: of an item's `attributes`, those of a trace are on its span.
 *
 * The key is `OPENAI_API_KEY` or `apiKey`, and is required for the hosts of OpenAI (and Respan)
 * only; the server is `OPENAI_BASE_URL` or `baseUrl` (default `https://api.openai.com/v1`).
 *
 * Errors: those of `respanGenerate`.
 */
// The overloads say what `generate` does with the options that it checks; types are erased after.
export const openaiGenerate = ((options: GenerateOptions) =>
  generate('openaiGenerate', 'openai', options)) as unknown as OpenaiGenerate

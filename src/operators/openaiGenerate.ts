import type { Reply, ReplyEvent } from '../codecs/Reply.js'
import type { Component } from './Flattening.js'
import type { ByModel, GenerateInput, GenerateOptions, Stream, Streaming, Whole } from './GenerateOptions.js'
import { generate } from './generate.js'

/** The options of a generator with one of OpenAI's models: those of `respanGenerate`, without `attributes`. */
export type ByOpenaiModel = ByModel & { readonly attributes?: never }

/** The forms of `openaiGenerate`: whole replies, or their events with `stream: true`. */
export interface OpenaiGenerate {
  (options: ByOpenaiModel & Stream<true>): Component<GenerateInput, ReplyEvent>
  (options: ByOpenaiModel & Whole): Component<GenerateInput, Reply>
  (options: ByOpenaiModel & Streaming): Component<GenerateInput, Reply | ReplyEvent>
}

/**
 * Asks a model like `respanGenerate`, but of OpenAI itself, or of any server that speaks its chat completions: for tracing
 * without the gateway. It sends no Respan field; the trace attributes among an item's `attributes` go on its span.
 *
 * The key is `apiKey` or `OPENAI_API_KEY`, required only for the hosts of OpenAI (and Respan). The server is `baseUrl` or
 * `OPENAI_BASE_URL`, by default `https://api.openai.com/v1`.
 *
 * Errors: those of `respanGenerate`.
 */
// The overloads say what `generate` does with the options that it checks; types are erased after.
export const openaiGenerate = ((options: GenerateOptions) =>
  generate('openaiGenerate', 'openai', options)) as unknown as OpenaiGenerate

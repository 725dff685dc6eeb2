import type { Fields } from '../codecs/Fields.js'
import { type Refusal, refusal } from './Refusal.js'

interface Provider extends Fields {
  readonly provider_id: string
}

interface ModelEntry {
  readonly name: string
  /** What it calls itself in an answer. */
  readonly dated: string
  /** USD per million tokens. */
  readonly input: number
  readonly output: number
  /** Tokens. */
  readonly window: number
  readonly provider: Provider
}

const modelsOf =
  (provider_name: string, provider_id: string) =>
  (name: string, date: string, input: number, output: number, window: number): ModelEntry => ({
    name,
    dated: `${name}-${date}`,
    input,
    output,
    window,
    provider: { provider_name, provider_id, moderation: 'Filtered', credential_fields: ['api_key'] },
  })

const openai = modelsOf('OpenAI', 'openai')
const anthropic = modelsOf('Anthropic', 'anthropic')

// Public list prices, noted in 2026; examples for a development server, not an invoice.
const MODELS: ReadonlyArray<ModelEntry> = [
  openai('gpt-4o-mini', '2024-07-18', 0.15, 0.6, 128_000),
  openai('gpt-4o', '2024-08-06', 2.5, 10, 128_000),
  openai('gpt-4.1', '2025-04-14', 2, 8, 1_047_576),
  openai('gpt-4.1-mini', '2025-04-14', 0.4, 1.6, 1_047_576),
  openai('gpt-4.1-nano', '2025-04-14', 0.1, 0.4, 1_047_576),
  openai('gpt-5', '2025-08-07', 1.25, 10, 400_000),
  openai('gpt-5-mini', '2025-08-07', 0.25, 2, 400_000),
  openai('gpt-3.5-turbo', '0125', 0.5, 1.5, 16_385),
  openai('o3-mini', '2025-01-31', 1.1, 4.4, 200_000),
  anthropic('claude-sonnet-4-5', '20250929', 3, 15, 200_000),
  anthropic('claude-haiku-4-5', '20251001', 1, 5, 200_000),
]

const BY_NAME: ReadonlyMap<string, ModelEntry> = new Map(
  MODELS.flatMap((entry) => [
    [entry.name, entry],
    [entry.dated, entry],
  ]),
)

// `openai/gpt-4o-mini` and `azure/gpt-4o-mini` are `gpt-4o-mini` at a named provider.
const entryOf = (model: string): ModelEntry | undefined =>
  BY_NAME.get(model.slice(model.lastIndexOf('/') + 1))

/** The id of the provider that a model's name begins with, or else of the one that offers it, where that is known. */
export const providerOf = (model: string): string | undefined =>
  model.includes('/') ? model.slice(0, model.indexOf('/')) : entryOf(model)?.provider.provider_id

/** Refuses names under `unknown/`, which stand for a typing mistake; every other name is known. */
export const unknownModel = (model: string): Refusal | undefined =>
  model.startsWith('unknown/')
    ? refusal(404, `Requested model ${model} is not available in the model list`)
    : undefined

/** The name under which a model answers: its dated name when it has one, otherwise the name it was asked by. */
export const answeringModel = (model: string): string => entryOf(model)?.dated ?? model

/** USD for one call; `undefined` for a model whose price is not in the table. */
export const costOf = (
  model: string,
  usage: { readonly prompt_tokens: number; readonly completion_tokens: number },
): number | undefined => {
  const entry = entryOf(model)
  return entry && (usage.prompt_tokens * entry.input + usage.completion_tokens * entry.output) / 1e6
}

/** The price table as `GET /api/models/public` shows it. */
export const publicModels = (): ReadonlyArray<Fields> =>
  MODELS.map(({ name, input, output, window, provider }) => ({
    model_name: name,
    max_context_window: window,
    input_cost: input,
    output_cost: output,
    rate_limit: 30_000,
    provider,
  }))

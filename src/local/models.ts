/** What a model is called when it answers, and what it costs in USD per million tokens. */
interface ModelEntry {
  readonly dated: string
  readonly input: number
  readonly output: number
  readonly window: number
  readonly provider: string
}

// Public list prices, noted in 2026; examples for a development server, not an invoice.
const MODELS: ReadonlyMap<string, ModelEntry> = new Map(
  Object.entries({
    'gpt-4o-mini': {
      dated: 'gpt-4o-mini-2024-07-18',
      input: 0.15,
      output: 0.6,
      window: 128_000,
      provider: 'openai',
    },
    'gpt-4o': { dated: 'gpt-4o-2024-08-06', input: 2.5, output: 10, window: 128_000, provider: 'openai' },
    'gpt-4.1': { dated: 'gpt-4.1-2025-04-14', input: 2, output: 8, window: 1_047_576, provider: 'openai' },
    'gpt-4.1-mini': {
      dated: 'gpt-4.1-mini-2025-04-14',
      input: 0.4,
      output: 1.6,
      window: 1_047_576,
      provider: 'openai',
    },
    'gpt-4.1-nano': {
      dated: 'gpt-4.1-nano-2025-04-14',
      input: 0.1,
      output: 0.4,
      window: 1_047_576,
      provider: 'openai',
    },
    'gpt-5': { dated: 'gpt-5-2025-08-07', input: 1.25, output: 10, window: 400_000, provider: 'openai' },
    'gpt-5-mini': {
      dated: 'gpt-5-mini-2025-08-07',
      input: 0.25,
      output: 2,
      window: 400_000,
      provider: 'openai',
    },
    'gpt-3.5-turbo': {
      dated: 'gpt-3.5-turbo-0125',
      input: 0.5,
      output: 1.5,
      window: 16_385,
      provider: 'openai',
    },
    'o3-mini': { dated: 'o3-mini-2025-01-31', input: 1.1, output: 4.4, window: 200_000, provider: 'openai' },
    'claude-sonnet-4-5': {
      dated: 'claude-sonnet-4-5-20250929',
      input: 3,
      output: 15,
      window: 200_000,
      provider: 'anthropic',
    },
    'claude-haiku-4-5': {
      dated: 'claude-haiku-4-5-20251001',
      input: 1,
      output: 5,
      window: 200_000,
      provider: 'anthropic',
    },
  }),
)

const DATED: ReadonlyMap<string, ModelEntry> = new Map(
  [...MODELS.values()].map((entry) => [entry.dated, entry] as const),
)

// `openai/gpt-4o-mini` and `azure/gpt-4o-mini` are `gpt-4o-mini` at a named provider.
const entryOf = (model: string): ModelEntry | undefined => {
  const bare = model.slice(model.lastIndexOf('/') + 1)
  return MODELS.get(bare) ?? DATED.get(bare)
}

/** Every name is known, save those under `unknown/`, which stand for a typing mistake. */
export const isKnownModel = (model: string): boolean => !model.startsWith('unknown/')

/** The name under which a model answers: the dated one where there is one, otherwise the name as it was given. */
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
export const publicModels = (): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  [...MODELS].map(([model_name, { input, output, window, provider }]) => ({
    model_name,
    max_context_window: window,
    input_cost: input,
    output_cost: output,
    rate_limit: 30_000,
    provider: {
      provider_name: provider === 'openai' ? 'OpenAI' : 'Anthropic',
      provider_id: provider,
      moderation: 'Filtered',
      credential_fields: ['api_key'],
    },
  }))

import type { ChatRequest } from '../codecs/ChatRequest.js'
import { hash } from './hash.js'
import { providerOf } from './models.js'

type Weighted = ReadonlyArray<{ readonly model: string; readonly weight: number }>

const pickWeighted = (models: Weighted, seed: number): string | undefined => {
  const total = models.reduce((sum, { weight }) => sum + weight, 0)
  const at = ((seed % 10_000) / 10_000) * total
  let reached = 0
  return models.find(({ weight }) => {
    reached += weight
    return at < reached
  })?.model
}

/**
 * The models to try for a request, in order. For the first one, a `load_balance_models` list beats `model`, which beats a
 * `load_balance_group`, which beats the router's `models`. Unless `disable_fallback`, then come the other `models`, which
 * are fallbacks of a `model` beside them, and `fallback_models`. What is excluded is excluded for the router alone.
 *
 * The pick among weighted models depends on the conversation alone: the same request, the same model.
 */
export const candidateModels = (request: ChatRequest, messages: unknown): ReadonlyArray<string> => {
  const seed = hash(JSON.stringify(messages), request.seed ?? 0)
  const list = request.load_balance_models ?? request.loadbalance_models
  const { exclude_models = [], exclude_providers = [], load_balance_group: group, model } = request
  const isExcluded = (name: string): boolean => {
    const provider = providerOf(name)
    return exclude_models.includes(name) || (provider !== undefined && exclude_providers.includes(provider))
  }
  const routed = (request.models ?? []).filter((name) => !isExcluded(name))
  const primary =
    (list && pickWeighted(list, seed)) ?? model ?? (group?.models && pickWeighted(group.models, seed))
  const models = [...(primary === undefined ? [] : [primary]), ...routed]
  if (request.disable_fallback === true) return models.slice(0, 1)
  return [...new Set([...models, ...(request.fallback_models ?? [])])]
}

import type { ChatRequest } from '../codecs/ChatRequest.js'
import { hash } from './hash.js'

type Weighted = ReadonlyArray<{ readonly model: string; readonly weight: number }>

const pickWeighted = (models: Weighted, h: number): string | undefined => {
  const total = models.reduce((sum, { weight }) => sum + weight, 0)
  const at = ((h % 10_000) / 10_000) * total
  let reached = 0
  return models.find(({ weight }) => {
    reached += weight
    return at < reached
  })?.model
}

/**
 * The models to try for a request, in order. For the first one, a `load_balance_models` list beats `model`, which beats a
 * `load_balance_group`, which beats the router's `models`. Then come the `models` beside a `model`, and `fallback_models`
 * unless `disable_fallback`.
 *
 * The pick among weighted models depends on the conversation alone: the same request, the same model.
 */
export const candidateModels = (request: ChatRequest, messages: unknown): ReadonlyArray<string> => {
  const h = hash(JSON.stringify(messages), request.seed ?? 0)
  const list = request.load_balance_models ?? request.loadbalance_models
  const { exclude_models = [], load_balance_group: group, model } = request
  const routed = (request.models ?? []).filter((name) => !exclude_models.includes(name))
  const primary = (list && pickWeighted(list, h)) ?? model ?? (group?.models && pickWeighted(group.models, h))
  const fallbacks = request.disable_fallback === true ? [] : (request.fallback_models ?? [])
  return [...new Set([...(primary === undefined ? [] : [primary]), ...routed, ...fallbacks])]
}

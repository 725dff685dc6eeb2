import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { finite, received, wire } from './wire.js'

const details = {
  prompt_tokens_details: wire(
    received({ audio_tokens: finite, cached_tokens: finite, cache_creation_tokens: finite }),
    'PromptTokensDetails',
  ),
  completion_tokens_details: wire(
    received({
      accepted_prediction_tokens: finite,
      audio_tokens: finite,
      reasoning_tokens: finite,
      rejected_prediction_tokens: finite,
    }),
    'CompletionTokensDetails',
  ),
  cache_creation_input_tokens: finite,
  cache_read_input_tokens: finite,
}

/**
 * The tokens that a reply used, in total for all choices of a request. The details depend on the provider, and each may
 * be absent or null. Reasoning tokens are part of the completion tokens, cached tokens part of the prompt tokens.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const Usage = wire(
  t.intersection([
    t.type({ prompt_tokens: finite, completion_tokens: finite, total_tokens: finite }),
    received(details),
  ]),
  'Usage',
)

/** The tokens that a reply used. */
export interface Usage extends t.TypeOf<typeof Usage> {}

/**
 * Token counts as a body carries them: each may be absent or null, in a stream the whole object may be `{}`, and
 * embeddings have no completion tokens. {@link toUsage} turns them into a {@link Usage}.
 */
export const ReportedUsage = wire(
  received({ prompt_tokens: finite, completion_tokens: finite, total_tokens: finite, ...details }),
  'ReportedUsage',
)

/** Token counts as a body carries them. */
export type ReportedUsage = t.TypeOf<typeof ReportedUsage>

/**
 * The usage that a body reports, or `undefined` if it reports no count at all. A missing count is derived from the
 * other two if they are known, and is 0 otherwise; it is never negative or infinite. Details and unknown fields are
 * kept.
 *
 * @param reported - `usage` of a response or chunk
 */
export const toUsage = (reported: ReportedUsage | null | undefined): Usage | undefined => {
  if (!Fields.is(reported)) return undefined
  if (Usage.is(reported)) return reported
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = reported
  if (prompt == null && completion == null && total == null) return undefined
  const prompt_tokens = prompt ?? derived((total ?? 0) - (completion ?? 0))
  const completion_tokens = completion ?? derived((total ?? prompt_tokens) - prompt_tokens)
  return {
    ...reported,
    prompt_tokens,
    completion_tokens,
    total_tokens: total ?? derived(prompt_tokens + completion_tokens),
  }
}

/** A count that was not reported: clamped, since {@link Usage} promises finite counts that are never negative. */
const derived = (count: number): number => Math.min(Math.max(0, count), Number.MAX_VALUE)

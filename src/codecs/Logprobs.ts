import * as t from 'io-ts'
import { finite, listOf, received, wire } from './wire.js'

const alternative = { token: t.string, logprob: finite, bytes: t.readonlyArray(finite, 'list of bytes') }

const TopLogprob = wire(received(alternative), 'TopLogprob')

const TokenLogprob = wire(received({ ...alternative, top_logprobs: listOf(TopLogprob) }), 'TokenLogprob')

const tokens = listOf(TokenLogprob)

/**
 * Log probabilities (natural logarithm) of the tokens of a choice, present when the request asked for `logprobs`.
 * Any field may be null or absent: `bytes` (UTF-8) and `top_logprobs` with OpenAI, `logprob` where a server writes JSON for a
 * probability of zero, whose logarithm is infinite.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export const Logprobs = wire(received({ content: tokens, refusal: tokens }), 'Logprobs')

/** Log probabilities of the tokens of a choice. */
export type Logprobs = t.TypeOf<typeof Logprobs>

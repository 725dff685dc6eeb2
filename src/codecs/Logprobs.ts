import * as t from 'io-ts'
import { finite, listOf, received, wire } from './wire.js'

const alternative = { token: t.string, logprob: finite }
const bytes = t.readonlyArray(finite, 'list of bytes')

const TopLogprob = wire(t.intersection([t.type(alternative), received({ bytes })]), 'TopLogprob')

const TokenLogprob = wire(
  t.intersection([t.type(alternative), received({ bytes, top_logprobs: listOf(TopLogprob) })]),
  'TokenLogprob',
)

const tokens = listOf(TokenLogprob)

/**
 * Log probabilities (natural logarithm) of the tokens of a choice, present when the request asked for `logprobs`.
 * `bytes` (UTF-8) and `top_logprobs` may be null or absent.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export const Logprobs = wire(received({ content: tokens, refusal: tokens }), 'Logprobs')

/** Log probabilities of the tokens of a choice. */
export type Logprobs = t.TypeOf<typeof Logprobs>

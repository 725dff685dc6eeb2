import * as t from 'io-ts'
import { finite, listOf, nullable, wire } from './wire.js'

const alternative = { token: t.string, logprob: finite }
const bytes = nullable(t.readonlyArray(finite, 'list of bytes'))

const TopLogprob = wire(t.intersection([t.type(alternative), t.partial({ bytes })]), 'TopLogprob')

const TokenLogprob = wire(
  t.intersection([t.type(alternative), t.partial({ bytes, top_logprobs: nullable(listOf(TopLogprob)) })]),
  'TokenLogprob',
)

const tokens = nullable(listOf(TokenLogprob))

/**
 * Log probabilities (natural logarithm) of the tokens of a choice, present when the request asked for `logprobs`.
 * `bytes` (UTF-8) and `top_logprobs` may be null or absent.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export const Logprobs = wire(t.partial({ content: tokens, refusal: tokens }), 'Logprobs')

/** Log probabilities of the tokens of a choice. */
export type Logprobs = t.TypeOf<typeof Logprobs>

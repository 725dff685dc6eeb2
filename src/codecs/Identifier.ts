import * as t from 'io-ts'
import { integer } from './wire.js'

/**
 * An id as the platform writes it: a string, or an integer in some bodies and some users' databases.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const Identifier = t.union([t.string, integer], 'string or integer')

/** Longest `customer_identifier` that all of the platform's pages and SDKs accept, in UTF-16 code units. */
const CUSTOMER_IDENTIFIER_LENGTH = 120

/**
 * The id of an end user: a string of at most 120 characters, or an integer. The API reference allows 254 characters,
 * but the platform's Python SDK refuses more than 120; the smaller limit is safe everywhere.
 *
 * @see https://respan.ai/docs/api-reference/observe/spans/create-span
 */
export const CustomerIdentifier = t.refinement(
  Identifier,
  (value) => typeof value === 'number' || value.length <= CUSTOMER_IDENTIFIER_LENGTH,
  'string of at most 120 characters, or integer',
)

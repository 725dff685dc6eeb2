import type { Either } from 'fp-ts/lib/Either.js'
import { ChatChunk } from '../codecs/ChatChunk.js'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { decode } from '../codecs/decode.js'

/**
 * Decodes one chunk of a streamed answer; the whole cost of validation per token is here.
 *
 * @param value - parsed JSON
 */
export const decodeChunk: (value: unknown) => Either<DecodeFailure, ChatChunk> = decode(ChatChunk)

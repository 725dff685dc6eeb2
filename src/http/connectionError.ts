import { isRespanError, NetworkError, type RespanError, StreamInterrupted, Timeout } from '../errors.js'
import { tried } from '../util/tried.js'
import type { AnswerIds } from './answerIds.js'
import type { Scrub } from './Scrub.js'
import { innermostCode, reasonOf, safeCause } from './safeCause.js'

/** A call that failed, and how far it had got. */
interface FailedCall {
  readonly url: string
  readonly scrub: Scrub
  /** `undefined` if no answer had arrived. */
  readonly ids: AnswerIds | undefined
  /** Time since the call began, ms. */
  readonly elapsed: number
}

/** Codes with which Node's own fetch gives up, after 300 s without headers or without a byte of the body. */
const GIVEN_UP_BY_FETCH: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/**
 * Converts whatever a request, or the reading of its answer, failed with to a `RespanError`: an error that is one already
 * is kept, anything else becomes `NetworkError` (no answer), `StreamInterrupted` (the body broke off) or `Timeout`
 * (`fetch` gave up).
 *
 * @param thrown - anything
 */
export const connectionError = (thrown: unknown, call: FailedCall): RespanError =>
  // Some values can't be inspected: a message that is not a string, a getter that throws, a revoked proxy.
  tried(() => (isRespanError(thrown) ? thrown : described(thrown, call))) ?? broken('unknown reason', call)

const described = (thrown: unknown, call: FailedCall): RespanError => {
  const { scrub, ids, elapsed } = call
  const cause = safeCause(thrown, scrub)
  return GIVEN_UP_BY_FETCH.has(innermostCode(thrown) ?? '')
    ? new Timeout(ids === undefined ? 'headers' : 'idle', elapsed, { ...ids, cause })
    : broken(scrub(reasonOf(thrown)), call, cause)
}

const broken = (reason: string, { url, scrub, ids }: FailedCall, cause?: unknown): RespanError =>
  ids === undefined
    ? new NetworkError(`No answer from ${scrub(url)}: ${reason}.`, { cause })
    : new StreamInterrupted(`The connection broke off in the middle of the answer: ${reason}.`, {
        ...ids,
        cause,
      })

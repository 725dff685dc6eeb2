import { Observable } from 'rxjs'
import type { Platform } from '../http/endpoint.js'
import { errorFromResponse } from '../http/errorFromResponse.js'
import { type Exchange, exchange, type Reading } from '../http/exchange.js'
import { readAnswer } from '../http/readAnswer.js'
import type { AttemptInfo } from '../http/withRetry.js'
import { answerErrors } from './answerErrors.js'
import type { GatewayEvent } from './Gateway.js'
import { readChatResponse } from './readChatResponse.js'
import { readChatStream } from './readChatStream.js'

/** One chat call, ready to be sent once for each attempt. */
interface ChatCall extends Omit<Exchange, 'deadline'> {
  readonly platform: Platform
  /** Whether a stream was asked for. */
  readonly stream: boolean
  /** How many choices were asked for. */
  readonly choices: number
}

/** How much of an error's body is read, in bytes. */
const MAX_ERROR_BYTES = 65_536

/**
 * Makes one attempt at subscription: emits `Attempt`, then `Headers` whatever the status, then the chunks or the response.
 *
 * @param call - what to send
 * @param info - which attempt this is, and what is left of the deadline; its `delivered` is called before each chunk, or
 * the response, is emitted
 */
export const chatAttempt = (
  call: ChatCall,
  { attempt, deadline, delivered }: AttemptInfo,
): Observable<GatewayEvent> =>
  new Observable((subscriber) => {
    subscriber.next({ _tag: 'Attempt', attempt })

    const read = async (response: Response, reading: Reading<GatewayEvent>): Promise<void> => {
      reading.emit({ _tag: 'Headers', status: response.status, ...reading.ids })
      if (!response.ok) {
        const answer = await readAnswer(response, reading, call.scrub, MAX_ERROR_BYTES)
        throw errorFromResponse(answer, call.platform, Date.now())
      }
      const delivering: Reading<GatewayEvent> = {
        ...reading,
        emit: (event) => {
          delivered()
          subscriber.next(event)
        },
      }
      const errors = answerErrors(reading.ids, call.scrub)
      switch (kindOf(response, call.stream)) {
        case 'stream':
          return readChatStream(response, delivering, errors, call.choices)
        case 'json':
          return readChatResponse(response, delivering, errors)
        default:
          throw errors.invalid({
            path: 'content-type',
            expected: call.stream ? 'text/event-stream or application/json' : 'application/json',
            found: mediaType(call.scrub(response.headers.get('content-type') ?? '')) || 'none',
          })
      }
    }

    return exchange({ ...call, deadline }, read).subscribe(subscriber)
  })

const MEDIA_TYPE_LENGTH = 100

const mediaType = (header: string): string =>
  header.split(';', 1).join('').trim().toLowerCase().slice(0, MEDIA_TYPE_LENGTH)

/** How to read an answer. A stream is accepted only if one was asked for; without a type, the answer is taken as asked for. */
const kindOf = (response: Response, stream: boolean): 'stream' | 'json' | undefined => {
  const type = mediaType(response.headers.get('content-type') ?? '')
  if (type === 'application/json' || type.endsWith('+json') || (type === '' && !stream)) return 'json'
  return stream && (type === 'text/event-stream' || type === '') ? 'stream' : undefined
}

import type { Fault } from './Fault.js'
import { SERVER_ERROR } from './Refusal.js'
import type { OpenRequest } from './requestLog.js'
import { sleep } from './sleep.js'

/** A body to be sent piece by piece, and the fault in it. */
export interface PlannedBody {
  /** Closed when the reader leaves. */
  readonly pieces: Iterator<string> | AsyncIterator<string>
  readonly fault: Fault
}

// Events. A document has its own ways to be malformed, or an error.
const MALFORMED = 'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"conte\n\n'
const ERROR = `data: ${JSON.stringify(SERVER_ERROR)}\n\n`

const encoder = new TextEncoder()

/**
 * A body made piece by piece while it is read, with the fault, if any, in its place. A slow reader slows the work down, and
 * one that leaves ends it.
 *
 * @param record - of the request; it is told what becomes of the body
 * @param breakOff - breaks the connection
 */
export const faultyBody = (
  { pieces, fault }: PlannedBody,
  record: OpenRequest,
  breakOff: () => void,
): ReadableStream<Uint8Array> => {
  const gone = new AbortController()
  let sent = 0
  let malformed = false
  // An upstream's generator may still be waiting for a piece; that it then fails is no error of this request.
  const close = (): void => void Promise.resolve(pieces.return?.()).catch(() => undefined)
  const finish = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    record.end('completed')
    controller.close()
    close()
  }
  const cut = (): void => {
    record.end('cut')
    breakOff()
    close()
  }
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (!(await sleep(fault.slowChunks ?? 0, gone.signal))) return
        if (sent === fault.hangAfter) {
          await sleep(Number.POSITIVE_INFINITY, gone.signal)
          return
        }
        if (sent === fault.cutAfter) return cut()
        if (sent === fault.endAfter) return finish(controller)
        if (sent === fault.errorAfter) {
          controller.enqueue(encoder.encode(ERROR))
          return finish(controller)
        }
        if (sent === fault.malformedAfter && !malformed) {
          malformed = true
          controller.enqueue(encoder.encode(MALFORMED))
          return
        }
        // When an upstream breaks off, so does the connection to the client.
        const next = await Promise.resolve(pieces.next()).catch(() => undefined)
        if (next === undefined) return cut()
        if (next.done === true) return finish(controller)
        sent += 1
        record.update({ chunks: sent })
        controller.enqueue(encoder.encode(next.value))
      },
      cancel: () => {
        gone.abort()
        record.end('aborted')
        close()
      },
    },
    // Nothing is made before it is read.
    { highWaterMark: 0 },
  )
}

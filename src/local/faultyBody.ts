import type { Fault } from './Fault.js'
import type { OpenRequest } from './requestLog.js'
import { sleep } from './sleep.js'

/** What a fault puts into a body: these differ between a stream of events and a single document. */
export interface Misfits {
  readonly malformed: string
  readonly error: string
}

const encoder = new TextEncoder()

/**
 * A body made piece by piece while it is read, so that a slow reader slows the work down and one that leaves ends
 * it, with the fault, if any, at its place.
 *
 * @param pieces - what to send; the iterator is closed when the reader leaves
 * @param record - of the request; it follows what becomes of the body
 * @param breakOff - breaks the connection
 */
export const faultyBody = (
  pieces: Iterator<string> | AsyncIterator<string>,
  fault: Fault,
  misfits: Misfits,
  record: OpenRequest,
  breakOff: () => void,
): ReadableStream<Uint8Array> => {
  const left = new AbortController()
  let sent = 0
  let malformed = false
  // An upstream's generator may be waiting for its next piece; its own end is nobody's error.
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
        if (!(await sleep(fault.slowChunks ?? 0, left.signal))) return
        if (sent === fault.hangAfter)
          return sleep(Number.POSITIVE_INFINITY, left.signal).then(() => undefined)
        if (sent === fault.cutAfter) return cut()
        if (sent === fault.endAfter) return finish(controller)
        if (sent === fault.errorAfter) {
          controller.enqueue(encoder.encode(misfits.error))
          return finish(controller)
        }
        if (sent === fault.malformedAfter && !malformed) {
          malformed = true
          controller.enqueue(encoder.encode(misfits.malformed))
          return
        }
        // An upstream that breaks off breaks its client's connection, too.
        const next = await Promise.resolve(pieces.next()).catch(() => undefined)
        if (next === undefined) return cut()
        if (next.done === true) return finish(controller)
        sent += 1
        record.update({ chunks: sent })
        controller.enqueue(encoder.encode(next.value))
      },
      cancel: () => {
        left.abort()
        record.end('aborted')
        close()
      },
    },
    // Nothing is made ahead of its reader.
    { highWaterMark: 0 },
  )
}

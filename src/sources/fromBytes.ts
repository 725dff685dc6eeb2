import { defer, isObservable, noop, Observable } from 'rxjs'
import { refuse } from '../codecs/refuse.js'
import { hasMethods } from '../util/hasMethods.js'
import type { Bytes } from './Bytes.js'

type Chunk = Uint8Array | string

/** What reading a web stream and iterating an async iterable have in common. */
interface Reading {
  readonly read: () => Promise<{ readonly done?: boolean | undefined; readonly value?: Chunk | undefined }>
  /** Cancels the source before its end. */
  readonly cancel: () => unknown
  /** Releases the source after its end. */
  readonly release: () => void
}

const isReadableStream = (
  bytes: ReadableStream<Uint8Array> | AsyncIterable<Chunk>,
): bytes is ReadableStream<Uint8Array> => 'getReader' in bytes

const readStream = (stream: ReadableStream<Uint8Array>): Reading => {
  const reader = stream.getReader()
  const release = (): void => reader.releaseLock()
  return {
    read: () => reader.read(),
    cancel: () => reader.cancel().then(release),
    release,
  }
}

const readIterable = (iterable: AsyncIterable<Chunk>): Reading => {
  const iterator = iterable[Symbol.asyncIterator]()
  return {
    read: () => iterator.next(),
    // The `return` of a Node stream's iterator waits for the next chunk, which may never come.
    cancel: () =>
      'destroy' in iterable && typeof iterable.destroy === 'function'
        ? iterable.destroy()
        : iterator.return?.(),
    release: noop,
  }
}

const pulled = ({ read, cancel, release }: Reading): Observable<Chunk> =>
  new Observable((subscriber) => {
    let ended = false
    const pull = async (): Promise<void> => {
      while (!subscriber.closed) {
        const { done, value } = await read()
        if (done === true) {
          ended = true
          release()
          subscriber.complete()
          return
        }
        if (value !== undefined) subscriber.next(value)
      }
    }
    subscriber.add(() => {
      // Inside the promise, what `cancel` throws synchronously is caught too: `unsubscribe()` must not throw.
      if (!ended) new Promise((resolve) => resolve(cancel())).catch(noop)
    })
    pull().catch((error: unknown) => {
      ended = true
      subscriber.error(error)
    })
  })

const checkBytes = (subject: string, bytes: unknown): void => {
  if (isObservable(bytes) || hasMethods(bytes, 'getReader') || hasMethods(bytes, Symbol.asyncIterator)) return
  refuse(
    subject,
    'bytes',
    'a web stream, an async iterable, an observable, or a function that returns one',
    bytes,
  )
}

/**
 * Emits the chunks of a byte source.
 *
 * Opens the source at subscription and pulls one chunk after the other. Unsubscribing cancels it at once, even while it waits
 * for a chunk. An error of the source is passed on as it is.
 *
 * @param subject - who was given the bytes: the first word of an error's message
 * @throws InvalidInput for anything but a byte source; emitted if a function returned it
 */
export const fromBytes = (subject: string, bytes: Bytes | (() => Bytes)): Observable<Chunk> => {
  if (typeof bytes !== 'function') checkBytes(subject, bytes)
  return defer(() => {
    const source = typeof bytes === 'function' ? bytes() : bytes
    checkBytes(subject, source)
    if (isObservable(source)) return source
    return pulled(isReadableStream(source) ? readStream(source) : readIterable(source))
  })
}

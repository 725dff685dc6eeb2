import { createParser, type EventSourceMessage, type ParseError } from 'eventsource-parser'

/** Turns bytes into server-sent events as they arrive. */
interface EventDecoder {
  /** Takes the next chunk of the body; calls back for every event that it completes, before it returns. */
  readonly push: (bytes: Uint8Array) => void
  /** Ends the body: an event without its blank line still counts, and is emitted with `last`. */
  readonly end: () => void
}

/** Longest event, in UTF-16 code units: 16 Mi. */
export const MAX_EVENT_LENGTH = 16_777_216

/**
 * Decodes server-sent events: UTF-8 split anywhere, lines ended by LF, CR or CRLF, a byte order mark, comments,
 * several `data` lines in one event (joined with LF), no space after the colon, unknown fields.
 *
 * The last event counts even without its blank line, whereas the standard drops it.
 *
 * @param onEvent - called synchronously; `push` and `end` let its exceptions through. `last` means that the event came
 *   without its blank line, and so may be cut off
 * @param onTooLong - called when an event grows beyond `MAX_EVENT_LENGTH`; must throw
 * @param onForeign - called when a page or JSON comes before any event; must throw
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export const eventDecoder = (
  onEvent: (event: EventSourceMessage, last: boolean) => void,
  onTooLong: () => never,
  onForeign: () => never,
): EventDecoder => {
  const decoder = new TextDecoder()
  let begun = false
  let ended = false
  let afterCr = false
  const parser = createParser({
    onEvent: (event) => {
      begun = true
      onEvent(event, ended)
    },
    onError: (error: ParseError) => {
      if (error.type === 'max-buffer-size-exceeded') onTooLong()
      if (!begun && FOREIGN.test(error.line ?? '')) onForeign()
    },
    maxBufferSize: MAX_EVENT_LENGTH,
  })
  // The parser holds back a CR at the end of a chunk, and everything after it up to the next line end, because an LF may
  // follow. If none does, adding the LF means the same and lets the parser go on.
  const feed = (text: string): void => {
    parser.feed(afterCr && text.charCodeAt(0) !== LF ? `\n${text}` : text)
    afterCr = text.charCodeAt(text.length - 1) === CR
  }
  return {
    push: (bytes) => {
      const text = decoder.decode(bytes, STREAM)
      if (text !== '') feed(text)
    },
    end: () => {
      feed(decoder.decode())
      ended = true
      parser.feed('\n\n')
    },
  }
}

// No field name begins like this, nor does any part of one.
const FOREIGN = /^\s*[<{[]/

const STREAM = { stream: true }
const LF = 10
const CR = 13

import { createParser, type EventSourceMessage, type ParseError } from 'eventsource-parser'

/** Turns bytes into server-sent events, as they come. */
interface EventDecoder {
  /** Takes the next piece of the body; calls back for every event that it completes, before it returns. */
  readonly push: (bytes: Uint8Array) => void
  /** The body ended: an event without its blank line still counts, and is told as `last`. */
  readonly end: () => void
}

/** Longest event, in UTF-16 code units: 16 Mi. */
export const MAX_EVENT_LENGTH = 16_777_216

/**
 * Decodes server-sent events: UTF-8 split anywhere, lines ended by LF, CR or CRLF, a byte order mark, comments,
 * several `data` lines in one event (joined with LF), no blank after the colon, fields of other names.
 *
 * Unlike the standard, which drops it, the last event counts even without its blank line.
 *
 * @param onEvent - called synchronously; what it throws comes out of `push` or `end`. `last` tells that the event came
 *   without its blank line, and so may be cut
 * @param onTooLong - called instead when an event grows beyond `MAX_EVENT_LENGTH`; must throw
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
  // The parser holds back a CR at the end of a piece, and all that follows up to the next line end, since an LF may come.
  // Where none does, giving it that LF says the same, and lets it go on.
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

// The name of no field begins like this, and no cut of one does.
const FOREIGN = /^\s*[<{[]/

const STREAM = { stream: true }
const LF = 10
const CR = 13

import * as t from 'io-ts'
import { closed } from '../codecs/closed.js'
import { integerWithin, numberWithin, oneOf, wire } from '../codecs/wire.js'

/**
 * A misbehaviour of the local gateway, for testing how clients take it. Without `status`, `retryAfter`, `html`
 * or `body` the request is answered, slowly or wrongly; "chunks" are the events of a stream. Where none is, what
 * happens after n chunks happens in the middle of the body (at its start for 0), and an error is all of it.
 */
export const Fault = wire(
  closed(
    t.partial({
      /** Which requests: chat (default), trace ingest, the prompt endpoints, embeddings, or all of them. */
      on: oneOf('chat', 'ingest', 'prompts', 'embeddings', 'any'),
      /** Only when this model is asked; a fallback model is asked on its own account. */
      model: t.string,
      /** For how many of these, each fallback model that is asked among them; default: until it is removed. */
      times: integerWithin(1),
      /** Refuses with this HTTP status, and the body that the platform documents for it. */
      status: integerWithin(200, 599),
      /** Seconds, in the `Retry-After` header and the body; without a status: 429. */
      retryAfter: numberWithin(0),
      /** This body instead; text is sent as it is, anything else as JSON. Without a status: 200. */
      body: t.unknown,
      /** A proxy's HTML error page; without a status: 502. */
      html: t.boolean,
      /** Waits before anything is answered, ms. */
      delay: numberWithin(0),
      /** Waits before each chunk, ms. */
      slowChunks: numberWithin(0),
      /** Breaks the connection after this many chunks. */
      cutAfter: integerWithin(0),
      /** Ends the body cleanly after this many chunks, without a finish reason or `[DONE]`. */
      endAfter: integerWithin(0),
      /** Stops sending after this many chunks, and keeps the connection open. */
      hangAfter: integerWithin(0),
      /** Sends an event that isn't JSON after this many chunks, and goes on. */
      malformedAfter: integerWithin(0),
      /** Sends an error event after this many chunks, and ends. */
      errorAfter: integerWithin(0),
    }),
  ),
  'Fault',
)

/** A misbehaviour of the local gateway. */
export type Fault = t.TypeOf<typeof Fault>

import * as t from 'io-ts'
import { closed } from '../codecs/closed.js'
import { integerWithin, numberWithin, oneOf, wire } from '../codecs/wire.js'

/**
 * A misbehaviour of the local gateway, for testing how clients take it. Without `status`, `retryAfter`, `html` or `body`,
 * the request is answered, but slowly or wrongly. "Chunks" are the events of a stream. In a body that is no stream, what
 * happens after n chunks happens in its middle (for n = 0 at its start), and an error event is the whole body.
 */
export const Fault = wire(
  closed(
    t.partial({
      /** Which requests: chat (default), trace ingest, the prompt endpoints, embeddings, or all of them. */
      on: oneOf('chat', 'ingest', 'prompts', 'embeddings', 'any'),
      /** Only when this model is asked; each fallback model counts as asked by itself. */
      model: t.string,
      /** For how many of these requests, counting each fallback model that is asked. Default: until it is removed. */
      times: integerWithin(1),
      /** Refuses with this HTTP status, and the body that the platform documents for it. */
      status: integerWithin(200, 599),
      /** Seconds, in the `Retry-After` header and the body. Without a status: 429. */
      retryAfter: numberWithin(0),
      /** Sends this body instead: text as it is, anything else as JSON. Without a status: 200. */
      body: t.unknown,
      /** Sends a proxy's HTML error page. Without a status: 502. */
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

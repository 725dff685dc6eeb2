/**
 * How often and how patiently a failed call is made again: only one that got no answer, or a status that may pass. What was
 * emitted can't be taken back, and what was worked on may be billed, as after a `Timeout`. All times in ms.
 */
export interface RetryPolicy {
  /** Attempts after the first one; 0 means none. Default 2. */
  readonly count?: number
  /** Upper bound of the first wait, doubled with each further one; a random part of it is waited. Default 500. */
  readonly delay?: number
  /** Upper bound of every such wait. Default 8000. A server's `Retry-After` counts instead of both. */
  readonly maxDelay?: number
  /**
   * Limit of the whole: all attempts and all waits. Without it there is none, but then a `Retry-After` of more than
   * one minute, or than `maxDelay` if that is longer, is not waited for: the error is emitted at once and tells how long
   * it would be.
   */
  readonly deadline?: number
  /** HTTP statuses worth another attempt. Default 408, 409, 429, 500, 502, 503, 504, 529. */
  readonly statuses?: ReadonlyArray<number>
}

/** How to reach a platform: where, with which key, and how patiently. An `undefined` (of `process.env`) is not given. */
export interface Connection {
  /** Default: the environment's, read at each subscription: `RESPAN_API_KEY` or `OPENAI_API_KEY`, by host, else by gateway. */
  readonly apiKey?: string | undefined
  /**
   * Default: the environment's (`RESPAN_BASE_URL`, `OPENAI_BASE_URL`), else the platform itself. In a page a path, such as
   * `/api/respan`, is one of its own server, which adds the key; where there is no page it is an `InvalidInput`, when
   * something is asked or sent.
   */
  readonly baseUrl?: string | undefined
  /**
   * Limit of one attempt, from its start to its last byte, ms; `Infinity` for none. Default 600000, ten minutes. Node's
   * own `fetch` gives up by itself after 300 s without headers, or without a byte; that is a `Timeout` as well.
   */
  readonly timeout?: number | undefined
  /**
   * Limit between two pieces of the body, and between the headers and the first one, ms; a keep-alive comment counts as
   * one. Default `Infinity`: a model that reasons may be silent for minutes.
   */
  readonly idleTimeout?: number | undefined
  /** Makes the requests instead of the global `fetch`, which is looked up at each request. */
  readonly fetch?: typeof fetch | undefined
  /** Sent with every request; they win over the library's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How often and how patiently a failed call is made again. Default: twice. */
  readonly retry?: RetryPolicy | undefined
  /** Aborts every call of this connection, with the error `Aborted`. */
  readonly signal?: AbortSignal | undefined
}

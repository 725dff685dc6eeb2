/**
 * How often, and after which delays, a failed call is retried. Only a call without an answer, or with a status that may
 * be temporary, is retried: values that were emitted can't be taken back, and work that a server has begun may be billed,
 * as after a `Timeout`. All times are in ms.
 */
export interface RetryPolicy {
  /** Maximum number of retries after the first attempt; 0 for none. Default 2. */
  readonly count?: number
  /** Upper bound of the first delay, doubled with each further one; the actual delay is random. Default 500. */
  readonly delay?: number
  /** Upper bound of every such delay. Default 8000. A server's `Retry-After` replaces both. */
  readonly maxDelay?: number
  /**
   * Limit for the whole call: all attempts and all delays. Without it there is no limit, but a `Retry-After` of more than
   * one minute, or of more than `maxDelay` if that is longer, is not waited for: the error is emitted at once, and says
   * how long the wait would be.
   */
  readonly deadline?: number
  /** HTTP statuses that are retried. Default 408, 409, 429, 500, 502, 503, 504, 529. */
  readonly statuses?: ReadonlyArray<number>
}

/** How to reach a platform: address, key and limits. An option that is `undefined` (as from `process.env`) is absent. */
export interface Connection {
  /**
   * Default: read from the environment at each subscription, as `RESPAN_API_KEY` or `OPENAI_API_KEY`: that of the
   * platform whose host `baseUrl` names, otherwise that of the gateway.
   */
  readonly apiKey?: string | undefined
  /**
   * Default: from the environment (`RESPAN_BASE_URL`, `OPENAI_BASE_URL`), otherwise the platform itself. In a page it may
   * be a path, such as `/api/respan`, on the page's own server, which adds the key. Where there is no page, a path is an
   * `InvalidInput` as soon as something is requested or sent.
   */
  readonly baseUrl?: string | undefined
  /**
   * Limit of one attempt, from its start to its last byte, ms; `Infinity` for none. Default 600000, ten minutes. Node's
   * own `fetch` gives up after 300 s without headers, or without a byte of the body; that is a `Timeout` as well.
   */
  readonly timeout?: number | undefined
  /**
   * Limit between two chunks of the body, and between the headers and the first chunk, ms; a keep-alive comment counts
   * as a chunk. Default `Infinity`: a model that reasons may be silent for minutes.
   */
  readonly idleTimeout?: number | undefined
  /** Makes the requests instead of the global `fetch`, which is looked up at each request. */
  readonly fetch?: typeof fetch | undefined
  /** Sent with every request; they win over the library's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How often, and after which delays, a failed call is retried. Default: twice. */
  readonly retry?: RetryPolicy | undefined
  /** Aborts every call of this connection, with the error `Aborted`. */
  readonly signal?: AbortSignal | undefined
}

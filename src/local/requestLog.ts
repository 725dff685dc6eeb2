/** A request that the local gateway got, and how far it came. */
export interface LocalRequest {
  readonly method: string
  readonly path: string
  /** Header names in lower case; credentials are `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed JSON; absent when there was none. */
  readonly body?: unknown
  /** `x-respan-log-id` of the answer. */
  readonly logId: string
  /** The name of the model that answered a chat request. */
  readonly model?: string
  readonly status?: number
  /** How many events of a stream were sent. */
  readonly chunks: number
  /**
   * `completed`: answered to the end, also with an error status. `aborted`: the client left before, and the work
   * stopped. `cut`: a fault broke the connection.
   */
  readonly outcome: 'pending' | 'completed' | 'aborted' | 'cut'
}

/** A record that is still being written. */
export interface OpenRequest {
  readonly update: (change: Partial<LocalRequest>) => void
  /** Ends the record; only the first end counts. */
  readonly end: (outcome: Exclude<LocalRequest['outcome'], 'pending'>) => void
}

/** What the local gateway remembers of its requests: the newest, up to a limit. */
export interface RequestLog {
  /** @param length - of the body, in UTF-16 code units */
  readonly open: (request: Omit<LocalRequest, 'chunks' | 'outcome'>, length: number) => OpenRequest
  /** The records, oldest first. */
  readonly all: () => ReadonlyArray<LocalRequest>
  /** Resolves when no request is under way. */
  readonly idle: () => Promise<void>
}

/** An empty request log that keeps at most `limit` records, with bodies of `maxLength` UTF-16 code units in all. */
export const requestLog = (limit: number, maxLength: number): RequestLog => {
  const records = new Map<number, LocalRequest>()
  const lengths = new Map<number, number>()
  let total = 0
  const evict = (): void => {
    for (const [key, length] of lengths) {
      if (records.size <= 1 || (records.size <= limit && total <= maxLength)) return
      records.delete(key)
      lengths.delete(key)
      total -= length
    }
  }
  const waiting = new Set<() => void>()
  let opened = 0
  let pending = 0
  return {
    open: (request, length) => {
      const key = opened++
      let ended = false
      records.set(key, { ...request, chunks: 0, outcome: 'pending' })
      pending += 1
      lengths.set(key, length)
      total += length
      evict()
      const update = (change: Partial<LocalRequest>): void => {
        const before = records.get(key)
        if (before) records.set(key, { ...before, ...change })
      }
      return {
        update,
        end: (outcome) => {
          if (ended) return
          ended = true
          update({ outcome })
          pending -= 1
          if (pending > 0) return
          for (const resolve of waiting) resolve()
          waiting.clear()
        },
      }
    },
    all: () => [...records.values()],
    idle: () =>
      pending === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.add(resolve)
          }),
  }
}

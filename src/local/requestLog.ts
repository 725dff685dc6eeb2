import { BehaviorSubject, filter, firstValueFrom } from 'rxjs'

/** A request that the local gateway received, and how far it has come. */
export interface LocalRequest {
  readonly method: string
  readonly path: string
  /** Header names in lower case; credentials are `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed JSON; absent when there was none, or when the request was refused unread. */
  readonly body?: unknown
  /** `x-respan-log-id` of the answer. */
  readonly logId: string
  /** The name of the model that answered a chat request. */
  readonly model?: string
  readonly status?: number
  /** How many events of a stream were sent, or halves of a body that a fault breaks. */
  readonly chunks: number
  /**
   * `completed`: answered to the end, perhaps with an error status. `aborted`: the client left first, and the work stopped.
   * `cut`: a fault, or the upstream, broke the connection.
   */
  readonly outcome: 'pending' | 'completed' | 'aborted' | 'cut'
}

/** A record that is still being written. */
export interface OpenRequest {
  readonly update: (change: Partial<Pick<LocalRequest, 'model' | 'status' | 'chunks'>>) => void
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

interface Kept {
  record: LocalRequest
  /** Of the body, in UTF-16 code units. */
  readonly length: number
}

/** An empty request log that keeps at most `limit` records, with bodies of `maxLength` UTF-16 code units in all. */
export const requestLog = (limit: number, maxLength: number): RequestLog => {
  const kept = new Set<Kept>()
  const pending = new BehaviorSubject(0)
  let total = 0
  const evict = (): void => {
    for (const oldest of kept) {
      if (kept.size <= 1 || (kept.size <= limit && total <= maxLength)) return
      kept.delete(oldest)
      total -= oldest.length
    }
  }
  return {
    open: (request, length) => {
      const one: Kept = { record: { ...request, chunks: 0, outcome: 'pending' }, length }
      kept.add(one)
      pending.next(pending.value + 1)
      total += length
      evict()
      return {
        update: (change) => {
          one.record = { ...one.record, ...change }
        },
        end: (outcome) => {
          if (one.record.outcome !== 'pending') return
          one.record = { ...one.record, outcome }
          pending.next(pending.value - 1)
        },
      }
    },
    all: () => Array.from(kept, ({ record }) => record),
    idle: async () => {
      await firstValueFrom(pending.pipe(filter((count) => count === 0)))
    },
  }
}

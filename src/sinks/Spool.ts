import type { Observable } from 'rxjs'

/**
 * When spans are written to disk.
 *
 * `on-failure`: when they would be lost otherwise, that is when the queue is full, when all attempts to deliver them
 * failed, when the sink is closed, and when the process or the page ends in a way that can still be noticed.
 * `always`: before they count as accepted, so that no accepted span is lost, even by `kill -9`; in IndexedDB they arrive
 * a few milliseconds later.
 */
export type SpoolStrength = 'on-failure' | 'always'

/** A span as it is written. */
export interface SpoolRecord {
  readonly traceId: string
  /** The span as one line of text, without secrets. */
  readonly text: string
}

/** Where a span was written; compared by reference. */
export interface SpoolPlace {
  readonly traceId: string
  /** Bytes that the span takes there. */
  readonly bytes: number
}

/** The callbacks through which a store reports to the sink that opened it. */
export interface SpoolHost {
  /** Spans were deleted to make room, or because of their age. */
  readonly evicted: (places: ReadonlyArray<SpoolPlace>, why: string) => void
  /** Another owner, which took this process for dead, has taken over these spans: nothing is lost. */
  readonly ceded: (places: ReadonlyArray<SpoolPlace>) => void
  /** Spans that other owners left behind are lost: damaged, or deleted unread. */
  readonly lost: (count: number, why: string) => void
  /** Writing failed after `write` had returned. */
  readonly failed: (places: ReadonlyArray<SpoolPlace>, error: unknown) => void
  /** There may be spans that other owners left behind. */
  readonly wake: () => void
}

/** An opened spool: the spans that one sink wrote, and those that it took over from owners that have died. */
export interface SpoolStore {
  /**
   * Writes spans: the first one, and as many more as fit into one piece. Call it again for the rest.
   *
   * @returns the places of the spans that were written
   * @throws RangeError if the first span is too large for the spool, however empty that is: the sink then tries the
   *   others. Any other error means that the spool can't be written to now: the sink leaves it alone for a while
   */
  readonly write: (records: ReadonlyArray<SpoolRecord>) => ReadonlyArray<SpoolPlace>
  /** Emits the spans at these places once, in order, perhaps synchronously; `undefined` for one that can't be read. */
  readonly read: (places: ReadonlyArray<SpoolPlace>) => Observable<ReadonlyArray<string | undefined>>
  /** Removes spans that are delivered, dropped or rejected. Ignores places that are gone. Never throws. */
  readonly remove: (places: ReadonlyArray<SpoolPlace>) => void
  /** Takes over spans of dead owners, perhaps not all, and emits their places once; an empty list if there are no more. */
  readonly adopt: () => Observable<ReadonlyArray<SpoolPlace>>
  /** The page is being left: a write that isn't done in this tick may never be done. */
  readonly leave?: () => void
  /** Leaves all spans to the next owner. Never throws. */
  readonly close: () => void
}

/**
 * Keeps spans on disk until they are delivered: `fileSpool` of `respan-rx/node`, `indexedDbSpool` of
 * `respan-rx/browser`. It does nothing until a sink opens it, at its first span or flush.
 */
export interface Spool {
  /** Where the spool is, for humans; not part of any report. */
  readonly name: string
  readonly strength: SpoolStrength
  /** Opens the spool; several sinks, threads and processes may have it open at the same time, each with its own store. */
  readonly open: (host: SpoolHost) => SpoolStore
}

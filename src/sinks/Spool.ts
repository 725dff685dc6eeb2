import type { Observable } from 'rxjs'

/**
 * When spans are written to a disk.
 *
 * `on-failure`: when they would be lost otherwise, that is when the queue is full, when all attempts to deliver them
 * failed, when the sink is closed, and when the process or the page ends in a way that can still be noticed.
 * `always`: before they count as accepted, so that nothing that was accepted is lost even by `kill -9`; IndexedDB has
 * them some milliseconds later.
 */
export type SpoolStrength = 'on-failure' | 'always'

/** A span as it is written. */
export interface SpoolRecord {
  readonly traceId: string
  /** The span: one line, and no secrets. */
  readonly text: string
}

/** Where a span was written; compared by reference. */
export interface SpoolPlace {
  readonly traceId: string
  /** Bytes it takes there. */
  readonly bytes: number
}

/** What a store tells whoever opened it. */
export interface SpoolHost {
  /** These were given up to make room or for their age; they are gone. */
  readonly evicted: (places: ReadonlyArray<SpoolPlace>, why: string) => void
  /** These are somebody else's from now on, who took this process for dead: nothing is lost. */
  readonly ceded: (places: ReadonlyArray<SpoolPlace>) => void
  /** Spans that others left behind are lost: damaged, or given up unread. */
  readonly lost: (count: number, why: string) => void
  /** Writing failed after `write` had returned. */
  readonly failed: (places: ReadonlyArray<SpoolPlace>, error: unknown) => void
  /** It may be time to look for what others left behind. */
  readonly wake: () => void
}

/** An opened spool: what one sink wrote, and what it took over from others that have died. */
export interface SpoolStore {
  /**
   * Writes spans down: the first of them, and as many more as fit into one piece. To be called again for the others.
   *
   * @throws RangeError when the first one is too large for it, however much room there is: the others are tried. Anything
   *   else when it can't write for now: it is left alone for a while
   */
  readonly write: (records: ReadonlyArray<SpoolRecord>) => ReadonlyArray<SpoolPlace>
  /** Reads them, in order: what can't be read is `undefined`. One emission; it may come at once. */
  readonly read: (places: ReadonlyArray<SpoolPlace>) => Observable<ReadonlyArray<string | undefined>>
  /** Removes spans that have met their fate. Places that are gone don't matter. Never throws. */
  readonly remove: (places: ReadonlyArray<SpoolPlace>) => void
  /** Takes over what a dead owner left behind, or a part of it. One emission; an empty one means that there is no more. */
  readonly adopt: () => Observable<ReadonlyArray<SpoolPlace>>
  /** The page is being left: what is still being written, and isn't safe in this tick, may be lost. */
  readonly leave?: () => void
  /** Leaves everything that is there to whoever comes next. Never throws. */
  readonly close: () => void
}

/**
 * Keeps spans on a disk until they are delivered: `fileSpool` of `respan-rx/node`, `indexedDbSpool` of
 * `respan-rx/browser`. It does nothing until a sink opens it, at its first span or flush.
 */
export interface Spool {
  /** Where it is, for people; no report has it. */
  readonly name: string
  readonly strength: SpoolStrength
  /** Opens it; several sinks, threads and processes may do so at the same time, each for itself. */
  readonly open: (host: SpoolHost) => SpoolStore
}

/** Tells whether an owner lives; `lastAt` is when it last wrote something, ms. */
export type Lives = (owner: string, lastAt: number) => boolean

/** The locks of the pages that share a database. Only secure pages have any. */
export interface PageLocks {
  /** Holds an owner's lock until the returned function is called: the browser lets go of it when the page dies. */
  readonly hold: (owner: string) => Promise<() => void>
  /** Does something in one page at a time, where there are locks. */
  readonly inTurn: <A>(work: () => Promise<A>) => Promise<A>
  /** Who lives, as of now. */
  readonly living: (now: number) => Promise<Lives>
}

/** Without Web Locks, which tell who lives, whoever wrote nothing for so long is dead, ms. */
const SILENCE = 3_600_000

const noLocks: PageLocks = {
  hold: async () => () => undefined,
  inTurn: (work) => work(),
  living: async (now) => (_, lastAt) => lastAt > now - SILENCE,
}

const webLocks = (locks: LockManager, prefix: string): PageLocks => ({
  hold: (owner) =>
    new Promise((resolve, reject) => {
      locks.request(prefix + owner, () => new Promise<void>((release) => resolve(release))).catch(reject)
    }),
  inTurn: (work) => locks.request(`${prefix}adopting`, work),
  living: async () => {
    const { held = [] } = await locks.query()
    const names = new Set(held.map(({ name }) => name))
    return (owner) => names.has(prefix + owner)
  },
})

interface Runtime {
  readonly navigator?: { readonly locks?: LockManager }
}

/**
 * Makes the locks of one database.
 *
 * @param prefix - of their names
 */
export const pageLocks = (prefix: string): PageLocks => {
  const { navigator }: Runtime = globalThis
  return navigator?.locks === undefined ? noLocks : webLocks(navigator.locks, prefix)
}

/** Whether an owner is alive; `lastAt` is when it last wrote something, ms. */
export type Lives = (owner: string, lastAt: number) => boolean

/** The locks of the pages that share a database. Only secure contexts have any. */
export interface PageLocks {
  /** Holds an owner's lock until the returned function is called; the browser releases it when the page dies. */
  readonly hold: (owner: string) => Promise<() => void>
  /** Runs a task in one page at a time, if there are locks. */
  readonly inTurn: <A>(work: () => Promise<A>) => Promise<A>
  /** Finds out which owners are alive now. */
  readonly living: (now: number) => Promise<Lives>
}

/** Without Web Locks, an owner that has written nothing for so long counts as dead, ms. */
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
 * @param prefix - prefix of the locks' names
 */
export const pageLocks = (prefix: string): PageLocks => {
  const { navigator }: Runtime = globalThis
  return navigator?.locks === undefined ? noLocks : webLocks(navigator.locks, prefix)
}

import type { ExecutionContext } from 'ava'

/** The time, as a test commands it. */
export interface CommandTimers {
  /** Moves the time forward, ms. */
  readonly tick: (ms: number) => void
  /** When the timers that are set will run out, ms from now. */
  readonly pending: () => ReadonlyArray<number>
}

/**
 * Lets the timers of RxJS, which are intervals, run out at command until the test ends: then a limit of time in a test
 * is no race. For serial tests only, since the whole process is affected. (`mock.timers` of node:test fires an interval
 * once more that was cleared in its own callback.) Servers come first: some runtimes give them timers of their own.
 */
export const commandTimers = (t: ExecutionContext): CommandTimers => {
  const { setInterval, clearInterval } = globalThis
  const timers = new Map<unknown, { due: number; readonly every: number; readonly run: () => void }>()
  let now = 0
  const fakes = {
    setInterval: (
      work: (...args: ReadonlyArray<unknown>) => void,
      every = 0,
      ...args: ReadonlyArray<unknown>
    ) => {
      const id = {}
      timers.set(id, { due: now + every, every, run: () => work(...args) })
      return id
    },
    clearInterval: (id: unknown) => timers.delete(id),
  }
  Object.assign(globalThis, fakes)
  t.teardown(() => Object.assign(globalThis, { setInterval, clearInterval }))
  const tick = (ms: number): void => {
    const end = now + ms
    for (;;) {
      const [next] = [...timers.values()].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
      if (next === undefined) break
      now = next.due
      next.due += Math.max(1, next.every)
      next.run()
    }
    now = end
  }
  return { tick, pending: () => [...timers.values()].map(({ due }) => due - now) }
}

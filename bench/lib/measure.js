// What every contestant measures itself with: CPU time of its whole process beside wall time, since the server and
// whoever else is on the machine make wall time a poor witness.

/** CPU time that this process has used on all its threads, µs. */
export const cpuTime = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/**
 * Runs something, and tells what it cost.
 *
 * @template A
 * @param {() => A | Promise<A>} run
 * @returns {Promise<{ value: A, cpu: number, wall: number }>} µs
 */
export const measured = async (run) => {
  const cpu = cpuTime()
  const wall = performance.now()
  const value = await run()
  return { value, cpu: cpuTime() - cpu, wall: (performance.now() - wall) * 1000 }
}

/**
 * Runs something and tells how many bytes it left on the heap. Needs `ALLOCATION_FLAGS`: then nothing is collected while
 * it runs, so that what is left is what was allocated; a collection is told, and makes the figure worthless.
 *
 * @param {() => unknown} run
 */
export const allocated = async (run) => {
  let collections = 0
  const observer = new PerformanceObserver((entries) => {
    collections += entries.getEntries().length
  })
  globalThis.gc()
  globalThis.gc()
  await pause(20)
  observer.observe({ entryTypes: ['gc'] })
  const before = process.memoryUsage().heapUsed
  await run()
  const bytes = process.memoryUsage().heapUsed - before
  await pause(20)
  observer.disconnect()
  if (collections > 0) throw new Error('Memory was collected meanwhile: use fewer operations.')
  return bytes
}

/** Node's flags for `allocated`: a young generation that takes all that a measurement allocates, in MB. */
export const ALLOCATION_FLAGS = ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512']

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Calls a function with 0 … count - 1, so many at a time.
 *
 * @param {number} count
 * @param {number} concurrency
 * @param {(index: number) => Promise<void>} work
 */
export const atATime = async (count, concurrency, work) => {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, worker))
}

/**
 * Calls a function again and again, so many at a time, for a while.
 *
 * @param {number} ms
 * @param {number} concurrency
 * @param {() => Promise<void>} work
 * @returns how often
 */
export const forAWhile = async (ms, concurrency, work) => {
  const end = performance.now() + ms
  let count = 0
  const worker = async () => {
    do {
      count++
      await work()
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return count
}

/**
 * Throws unless a contestant did what it was asked to do.
 *
 * @param {string} what
 * @param {unknown} found
 * @param {unknown} expected
 */
export const check = (what, found, expected) => {
  if (found === expected) return
  const shown = (value) => String(value).slice(0, 80)
  throw new Error(`${what}: expected ${shown(expected)}, found ${shown(found)}`)
}

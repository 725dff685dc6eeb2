import { rootZone } from '../tracing/rootZone.js'

/**
 * Calls a function in the root zone of zone.js, where there is one. Angular takes a timer that was set in its own zone for
 * work that the page waits for: a render on the server and a test in `waitForAsync` would wait for a sink's delay, hydration
 * and a service worker for ever. And it looks for changes after each event that was listened for there.
 */
export const outsideZones = <A>(fn: () => A): A => {
  const root = rootZone()
  return root === undefined ? fn() : root.run(fn)
}

import { rootZone } from '../util/rootZone.js'

/**
 * Calls a function in the root zone of zone.js, if that is loaded. Angular counts a timer that is set in its own zone as
 * work that the page is waiting for: a server-side render and a test in `waitForAsync` would wait for a sink's delay,
 * hydration and a service worker forever. It also runs change detection after each event with a listener in its zone.
 */
export const outsideZones = <A>(fn: () => A): A => {
  const root = rootZone()
  return root === undefined ? fn() : root.run(fn)
}

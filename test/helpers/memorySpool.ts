import { of } from 'rxjs'
import type { Spool, SpoolPlace, SpoolStore } from '../../dist/sinks/Spool.js'

/** A spool in memory; what a test puts into `broken`, now or later, takes the place of what works. */
export const memorySpool = (
  broken: Partial<SpoolStore>,
  strength: Spool['strength'] = 'on-failure',
): Spool => {
  const texts = new Map<SpoolPlace, string>()
  const working: SpoolStore = {
    write: (records) =>
      records.map(({ traceId, text }) => {
        const place = { traceId, bytes: text.length }
        texts.set(place, text)
        return place
      }),
    read: (places) => of(places.map((place) => texts.get(place))),
    remove: (places) => {
      for (const place of places) texts.delete(place)
    },
    adopt: () => of([]),
    close: () => undefined,
  }
  const store: SpoolStore = {
    write: (...given) => (broken.write ?? working.write)(...given),
    read: (...given) => (broken.read ?? working.read)(...given),
    remove: working.remove,
    adopt: () => (broken.adopt ?? working.adopt)(),
    ...(broken.leave === undefined ? {} : { leave: broken.leave }),
    close: working.close,
  }
  return { name: 'memory', strength, open: () => store }
}

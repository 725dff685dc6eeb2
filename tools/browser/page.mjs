// What the test's page runs: a sink with a spool in IndexedDB, and handles for the test.
import { NEVER, of } from 'rxjs'
import { indexedDbSpool } from '../../dist/browser/index.js'
import { bufferedSink, respanTrace, respanTransport } from '../../dist/index.js'

const parameters = new URLSearchParams(location.search)
const strength = parameters.get('strength')
const warnings = []
const unhandled = []
addEventListener('unhandledrejection', ({ reason }) => unhandled.push(String(reason)))

const sink = bufferedSink(respanTransport({ apiKey: 'a-key', baseUrl: `${location.origin}/api` }), {
  maxDelay: 600_000,
  maxBatchSize: 1_000,
  // Nothing but a flush asks again: what a page was about to do when it is left would be chance.
  retry: { count: 0, delay: 600_000, maxDelay: 600_000 },
  random: () => 0.99,
  onWarning: ({ message }) => warnings.push(message),
  ...(strength === null
    ? {}
    : {
        spool: indexedDbSpool({
          strength,
          maxBytes: Number(parameters.get('maxBytes') ?? 16_777_216),
          maxAge: Number(parameters.get('maxAge') ?? 604_800_000),
        }),
      }),
})

const trace = (count, size = 10) => {
  for (let number = 0; number < count; number++)
    of('x'.repeat(size)).pipe(respanTrace('run', { sink })).subscribe()
}

/** A run that goes on until the page is left. */
const begin = () => {
  const run = NEVER.pipe(respanTrace('run', { sink })).subscribe()
  addEventListener('pagehide', () => run.unsubscribe())
}

/** Spans in the database, once what was written before is there. */
const written = async () => {
  // Opening it would make it, without its stores.
  const databases = await indexedDB.databases()
  return databases.some(({ name }) => name === 'respan-rx') ? counted() : 0
}

const counted = () =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open('respan-rx')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const database = opening.result
      const counting = database.transaction('spans').objectStore('spans').count()
      counting.onsuccess = () => {
        database.close()
        resolve(counting.result)
      }
    }
  })

/** As if the tab were hidden, and shown again. */
const show = (visibilityState) => {
  Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

/** From now on the browser undoes what is written to the database. */
const undo = () => {
  IDBTransaction.prototype.commit = IDBTransaction.prototype.abort
}

globalThis.handles = { sink, trace, begin, written, show, undo, warnings, unhandled }

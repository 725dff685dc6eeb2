// respan-rx: a root and three components, events of start, first output and end included.

import { respan, rxjs } from '../../lib/respan.js'
import { attributes, input, steps } from '../work.js'

const { bufferedSink, component, respanTrace, respanTransport } = respan
const { lastValueFrom, of } = rxjs

const { customer_identifier, thread_identifier, ...metadata } = attributes
const components = steps.map(([name, step]) => component(name, step))

const operationInto = (sink, more = {}) => {
  const trace = respanTrace('operation', {
    sink,
    attributes: { customer_identifier, thread_identifier, metadata },
    ...more,
  })
  return () => lastValueFrom(of(input).pipe(...components, trace))
}

/** Into the buffered sink, as one would: over a transport that counts, or over HTTP. */
export default (server) => {
  let spans = 0
  const counting = (batch) => {
    spans += batch.length
    return of({ rejected: [] })
  }
  const transport =
    server === undefined ? counting : respanTransport({ baseUrl: server.ingest, apiKey: 'none' })
  const sink = bufferedSink(transport, { maxBatchSize: 512 })
  return {
    operation: operationInto(sink),
    flush: async () => {
      const outcome = await sink.flush()
      if (outcome._tag === 'Left') throw outcome.left.failures[0].error
    },
    delivered: () => (server === undefined ? spans : sink.stats().delivered),
  }
}

/** The same without AsyncLocalStorage, which makes every promise of a process dearer on Node 20 and 22. */
export const eventsBySlot = () => events(undefined, { asyncContext: false })

/** The events alone, pushed to an array: from `respanTrace` to whatever queue there is. */
export const events = (_server, more) => {
  let queue = []
  let spans = 0
  const flush = async () => {
    spans += queue.filter(({ _tag }) => _tag === 'SpanEnded').length
    queue = []
  }
  const sink = { next: (event) => queue.push(event) }
  return { operation: operationInto(sink, more), flush, delivered: () => spans }
}

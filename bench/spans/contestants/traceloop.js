// Traceloop puts its own attributes on a span, and ours as association properties.

import { countingExporter } from '../countingExporter.js'
import { from } from '../peer.js'
import { attributes, input, steps } from '../work.js'

const peer = from('traceloop')
const associationProperties = Object.fromEntries(
  Object.entries(attributes).map(([key, value]) => [key, String(value)]),
)

/** @param {{ ingest: string } | undefined} server */
export default async (server) => {
  const traceloop = await peer('@traceloop/node-server-sdk')
  const { exporter, count } = countingExporter()
  traceloop.initialize({
    appName: 'bench',
    apiKey: 'none',
    traceloopSyncEnabled: false,
    tracingEnabled: true,
    silenceInitializationMessage: true,
    instrumentModules: {},
    ...(server === undefined ? { exporter } : { baseUrl: server.ingest }),
  })
  const { withWorkflow, withTask, forceFlush } = traceloop
  return {
    operation: () =>
      withWorkflow(
        { name: 'operation', associationProperties },
        async (first) => {
          let value = first
          for (const [name, step] of steps) value = await withTask({ name }, step, value)
          return value
        },
        input,
      ),
    flush: () => forceFlush(),
    delivered: count,
  }
}

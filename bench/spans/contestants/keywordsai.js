// Respan's own SDK, under the name that it has on npm. Its console.debug lines, two for each span, are muted, which
// favours it.

import { countingExporter } from '../countingExporter.js'
import { from } from '../peer.js'
import { attributes, input, steps } from '../work.js'

const peer = from('keywordsai')
const { customer_identifier, thread_identifier, ...metadata } = attributes
// Each span's own: the option `associationProperties` is documented, and reaches no span (1.0.44).
const params = { customer_identifier, thread_identifier, metadata }

/** @param {{ ingest: string } | undefined} server */
export default async (server) => {
  console.debug = () => undefined
  console.log = () => undefined
  const { KeywordsAITelemetry, withKeywordsAISpanAttributes } = await peer('@keywordsai/tracing')
  const { trace } = await peer('@opentelemetry/api')
  const { exporter, count } = countingExporter()
  const telemetry = new KeywordsAITelemetry({
    appName: 'bench',
    apiKey: 'none-at-all',
    silenceInitializationMessage: true,
    disabledInstrumentations: ['http'],
    baseURL: server?.ingest ?? 'http://127.0.0.1:9',
  })
  await telemetry.initialize()
  const provider = trace.getTracerProvider().getDelegate()
  // The option `exporter` is documented and ignored (1.0.44).
  if (server === undefined)
    provider.activeSpanProcessor._spanProcessors[0]._spanProcessor._exporter = exporter
  const attributed = (work) => (value) => withKeywordsAISpanAttributes(() => work(value), params)
  const tasks = steps.map(([name, step]) => [name, attributed(step)])
  return {
    operation: () =>
      telemetry.withWorkflow(
        { name: 'operation' },
        attributed(async (first) => {
          let value = first
          for (const [name, task] of tasks) value = await telemetry.withTask({ name }, task, value)
          return value
        }),
        input,
      ),
    flush: () => provider.forceFlush(),
    delivered: count,
  }
}

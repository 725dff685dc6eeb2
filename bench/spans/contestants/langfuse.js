import { countingExporter } from '../countingExporter.js'
import { from } from '../peer.js'
import { attributes, input, steps } from '../work.js'

const peer = from('langfuse')

/** @param {{ baseUrl: string } | undefined} server */
export default async (server) => {
  const { LangfuseSpanProcessor } = await peer('@langfuse/otel')
  const { startActiveObservation, setLangfuseTracerProvider } = await peer('@langfuse/tracing')
  const { BasicTracerProvider } = await peer('@opentelemetry/sdk-trace-base')
  const { context } = await peer('@opentelemetry/api')
  const { AsyncLocalStorageContextManager } = await peer('@opentelemetry/context-async-hooks')
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const { exporter, count } = countingExporter()
  const processor = new LangfuseSpanProcessor({
    publicKey: 'pk-lf-bench',
    secretKey: 'sk-lf-bench',
    flushAt: 512,
    ...(server === undefined ? { exporter } : { baseUrl: server.ingest }),
  })
  setLangfuseTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }))
  const observed = (name, value, work) =>
    startActiveObservation(name, async (span) => {
      span.update({ input: value, metadata: attributes })
      const output = await work(value)
      span.update({ output })
      return output
    })
  return {
    operation: () =>
      observed('operation', input, async (first) => {
        let value = first
        for (const [name, step] of steps) value = await observed(name, value, step)
        return value
      }),
    flush: () => processor.forceFlush(),
    delivered: count,
  }
}

import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'

/** An OpenTelemetry exporter that takes everything at once and counts it. */
export const countingExporter = () => {
  let spans = 0
  return {
    exporter: {
      export: (batch, done) => {
        spans += batch.length
        done({ code: 0 })
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    },
    count: () => spans,
  }
}

const BATCHES = { maxQueueSize: 4096, maxExportBatchSize: 512, scheduledDelayMillis: 5000 }

/** A provider with the batch processor. @param {import('@opentelemetry/sdk-trace-base').SpanExporter} exporter */
export const batching = (exporter) =>
  new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter, BATCHES)] })

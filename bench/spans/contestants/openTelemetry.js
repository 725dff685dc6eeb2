// OpenTelemetry's batch processor, with the parent handed down by hand, or found in AsyncLocalStorage.

import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { batching, countingExporter } from '../countingExporter.js'
import { attributes, input, steps } from '../work.js'

const recorded = async (span, value, work) => {
  span.setAttributes(attributes)
  span.setAttribute('input', JSON.stringify(value))
  try {
    const result = await work(value, span)
    span.setAttribute('output', JSON.stringify(result))
    return result
  } finally {
    span.end()
  }
}

export default () => {
  const { exporter, count } = countingExporter()
  const provider = batching(exporter)
  const tracer = provider.getTracer('bench')
  const below = (parent) => trace.setSpan(context.active(), parent)
  return {
    operation: () =>
      recorded(tracer.startSpan('operation'), input, async (first, root) => {
        let value = first
        for (const [name, step] of steps)
          value = await recorded(tracer.startSpan(name, {}, below(root)), value, step)
        return value
      }),
    flush: () => provider.forceFlush(),
    delivered: count,
  }
}

export const active = () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const { exporter, count } = countingExporter()
  const provider = batching(exporter)
  const tracer = provider.getTracer('bench')
  const within = (name, value, work) => tracer.startActiveSpan(name, (span) => recorded(span, value, work))
  return {
    operation: () =>
      within('operation', input, async (first) => {
        let value = first
        for (const [name, step] of steps) value = await within(name, value, step)
        return value
      }),
    flush: () => provider.forceFlush(),
    delivered: count,
  }
}

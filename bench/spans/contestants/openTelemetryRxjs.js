// OpenTelemetry in the same RxJS pipeline, as its users write it: the parent handed down by hand, since the active
// context follows the subscriber, never the pipeline.

import { context, trace } from '@opentelemetry/api'
import { rxjs } from '../../lib/respan.js'
import { batching, countingExporter } from '../countingExporter.js'
import { attributes, input, steps } from '../work.js'

const { concatMap, finalize, from, lastValueFrom, of, tap } = rxjs

export default () => {
  const { exporter, count } = countingExporter()
  const provider = batching(exporter)
  const tracer = provider.getTracer('bench')

  const recorded = (span, value, work) => {
    span.setAttributes(attributes)
    span.setAttribute('input', JSON.stringify(value))
    return from(work(value)).pipe(
      tap((output) => span.setAttribute('output', JSON.stringify(output))),
      finalize(() => span.end()),
    )
  }
  const traced = (root) =>
    steps.map(([name, step]) => concatMap((value) => recorded(tracer.startSpan(name, {}, root), value, step)))
  return {
    operation: () => {
      const span = tracer.startSpan('operation')
      const root = trace.setSpan(context.active(), span)
      return lastValueFrom(recorded(span, input, (first) => of(first).pipe(...traced(root))))
    },
    flush: () => provider.forceFlush(),
    delivered: count,
  }
}

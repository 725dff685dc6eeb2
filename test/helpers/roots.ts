import type { MonoTypeOperatorFunction } from 'rxjs'
import { respanTrace } from '../../dist/operators/respanTrace.js'
import { memorySink } from '../../dist/sinks/memorySink.js'

/** What the operator promises holds alone and under a trace. */
export const ROOTS: Readonly<Record<string, <T>() => MonoTypeOperatorFunction<T>>> = {
  untraced: () => (source) => source,
  traced: () => respanTrace('T', { sink: memorySink() }),
  'traced without links': () => respanTrace('T', { sink: memorySink(), deep: false }),
}

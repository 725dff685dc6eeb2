import { type MonoTypeOperatorFunction, tap } from 'rxjs'
import { currentOpenSpan } from '../tracing/frames.js'
import type { OutputForm } from '../tracing/Output.js'

/** Tells the enclosing span how the values below make up its output. */
export const outputAs = <T>(form: OutputForm): MonoTypeOperatorFunction<T> =>
  tap({
    subscribe: () => {
      const span = currentOpenSpan()
      if (span !== null) span.output.form = form
    },
  })

// The same work as a RxJS pipeline without spans: what remains between this and respan-rx is tracing.

import { rxjs } from '../../lib/respan.js'
import { input, steps } from '../work.js'

const { concatMap, lastValueFrom, of } = rxjs

export default () => {
  const operators = steps.map(([, step]) => concatMap(step))
  let operations = 0
  return {
    operation: () => {
      operations++
      return lastValueFrom(of(input).pipe(...operators))
    },
    flush: async () => undefined,
    delivered: () => operations * 4,
  }
}

// No spans at all: what the work itself costs.

import { input, steps } from '../work.js'

export default () => {
  let operations = 0
  return {
    operation: async () => {
      let value = input
      for (const [, step] of steps) value = await step(value)
      operations++
      return value
    },
    flush: async () => undefined,
    delivered: () => operations * 4,
  }
}

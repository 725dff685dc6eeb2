// LangChain: a sequence of three with its tracer. A run is its span; the tracer keeps none once the root has ended.

import { RunnableLambda, RunnableSequence } from '@langchain/core/runnables'
import { BaseTracer } from '@langchain/core/tracers/base'
import { attributes, input, steps } from '../work.js'

class CountingTracer extends BaseTracer {
  name = 'counting_tracer'
  spans = 0
  persistRun(run) {
    const count = ({ child_runs }) => 1 + child_runs.reduce((sum, child) => sum + count(child), 0)
    this.spans += count(run)
    return Promise.resolve()
  }
}

export default () => {
  const sequence = RunnableSequence.from(
    steps.map(([runName, step]) => RunnableLambda.from(step).withConfig({ runName })),
  )
  const tracer = new CountingTracer()
  return {
    operation: () =>
      sequence.invoke(input, { callbacks: [tracer], metadata: attributes, runName: 'operation' }),
    flush: async () => undefined,
    delivered: () => tracer.spans,
  }
}

import { RunnableLambda, RunnableSequence } from '@langchain/core/runnables'
import { addAsync, names } from '../steps.js'

export const run = (components) => {
  const sequence = RunnableSequence.from(names(components).map(() => RunnableLambda.from((x) => addAsync(x))))
  return (x) => sequence.invoke(x)
}

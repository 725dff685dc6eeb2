// Functions, awaited or called in turn.

import { add, addAsync, names } from '../steps.js'

export const run = (components) => {
  const steps = names(components).map(() => (x) => addAsync(x))
  return async (x) => {
    let value = x
    for (const step of steps) value = await step(value)
    return value
  }
}

export const stream = (components) => {
  const steps = names(components).map(() => (x) => add(x))
  return async (items) => {
    let sum = 0
    for (let item = 0; item < items; item++) {
      let value = item
      for (const step of steps) value = step(value)
      sum += value
    }
    return sum
  }
}

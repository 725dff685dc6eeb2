import { respan, rxjs } from '../../lib/respan.js'
import { add, addAsync, names } from '../steps.js'
import { sumOf } from './plainRxjs.js'

const { component } = respan
const { lastValueFrom, of } = rxjs

export const asynchronous = (components) =>
  names(components).map((name) => component(name, (x) => addAsync(x)))
export const synchronous = (components) => names(components).map((name) => component(name, (x) => of(add(x))))

export const run = (components) => {
  const operators = asynchronous(components)
  return (x) => lastValueFrom(of(x).pipe(...operators))
}

export const stream = (components) => {
  const operators = synchronous(components)
  return (items) => sumOf(items, operators)
}

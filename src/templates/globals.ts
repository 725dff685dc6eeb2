import { MAX_ITEMS } from './bounds.js'
import { jinja, type Scope } from './jinja.js'

const range = (...bounds: ReadonlyArray<unknown>): ReadonlyArray<number> => {
  const [first, second, step = 1] = bounds.map(Number)
  if (
    first === undefined ||
    bounds.length > 3 ||
    bounds.some((bound) => !Number.isInteger(bound)) ||
    step === 0
  ) {
    throw new RangeError('range() with other arguments than one to three integers, the last one not 0')
  }
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAX_ITEMS) throw new RangeError(`range() of more than ${MAX_ITEMS} numbers`)
  return Array.from({ length }, (_, index) => start + index * step)
}

const LITERALS = { true: true, True: true, false: false, False: false, none: null, None: null }

/** Names that every template knows; `namespace` is the engine's. */
export const GLOBALS: ReadonlySet<string> = new Set([...Object.keys(LITERALS), 'range', 'namespace'])

const GLOBAL_SCOPE = ((): Scope => {
  const scope = new jinja.Environment()
  for (const [name, value] of Object.entries({ ...LITERALS, range })) scope.set(name, value)
  return scope
})()

/** What a template sees: its values, and what every template knows; literals can't be values' names. */
export const scopeOf = (values: Readonly<Record<string, unknown>>): Scope => {
  const scope = new jinja.Environment(GLOBAL_SCOPE)
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || Object.hasOwn(LITERALS, name)) continue
    scope.variables.delete(name)
    scope.set(name, value)
  }
  return scope
}

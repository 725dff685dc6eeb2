import type { Value } from './Value.js'
import { UNDEFINED } from './values.js'

/** The names that are visible at one place. */
export interface Scope {
  readonly names: Map<string, Value>
  readonly outer?: Scope
}

/** A scope for names that nothing outside of it sees. */
export const inside = (outer: Scope): Scope => ({ names: new Map(), outer })

/** What a name stands for; undefined when it isn't declared. */
export const valueNamed = (name: string, scope: Scope): Value => {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const value = at.names.get(name)
    if (value !== undefined) return value
  }
  return UNDEFINED
}

import type { Value } from './Value.js'
import { given, integerOf, isTrue, textOf } from './values.js'

/** An argument as text. */
export const textArgument = (value: Value | undefined, fallback: string): string => {
  const argument = given(value)
  return argument === undefined ? fallback : textOf(argument)
}

/** An argument that is a whole number. */
export const integerArgument = (value: Value | undefined, fallback: number): number => {
  const argument = given(value)
  return argument === undefined ? fallback : integerOf(argument)
}

/** An argument that turns something on or off. */
export const flagArgument = (value: Value | undefined, fallback = false): boolean =>
  value === undefined ? fallback : isTrue(value)

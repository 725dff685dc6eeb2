/** A value for every item, or a function of the item. */
export type Each<A, T> = T | ((input: A) => T)

// A codec's type is never a function, so a function is the one that takes the input.
export const isFunction = <A, T>(each: Each<A, T> | undefined): each is (input: A) => T =>
  typeof each === 'function'

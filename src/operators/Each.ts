/** A value for every item, or a function of the item. */
export type Each<A, T> = T | ((input: A) => T)

/** Whether it takes the item: a codec's type is never a function. */
export const isFunction = <A, T>(each: Each<A, T> | undefined): each is (input: A) => T =>
  typeof each === 'function'

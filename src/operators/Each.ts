/** One value for all items, or a function of the item. */
export type Each<A, T> = T | ((input: A) => T)

/** Whether it is a function of the item. A plain value never is one: no codec allows it. */
export const isFunction = <A, T>(each: Each<A, T> | undefined): each is (input: A) => T =>
  typeof each === 'function'

/** A value for every item, or a function of the item. */
export type Each<A, T> = T | ((input: A) => T)

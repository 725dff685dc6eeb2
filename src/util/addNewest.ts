import { forgetOldest } from './forgetOldest.js'

/** Adds a value to a set, or makes it the newest of those there, and removes the oldest beyond `most`. */
export const addNewest = <A>(set: Set<A>, value: A, most: number): void => {
  set.delete(value)
  set.add(value)
  forgetOldest(set, most)
}

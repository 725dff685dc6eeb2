/**
 * A 32-bit FNV-1a hash of a text, the same on every machine and in every run.
 *
 * @param seed - any integer; another seed gives another, equally stable hash
 */
export const hash = (text: string, seed = 0): number => {
  let state = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)
  for (let index = 0; index < text.length; index++)
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  // FNV's low bits are weak, and `pick` takes a remainder.
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}

/** One of the choices, by a natural number: that number modulo their count is the index. */
export const pick = <A>(choices: readonly [A, ...ReadonlyArray<A>], seed: number): A =>
  choices[seed % choices.length] ?? choices[0]

/**
 * A 32-bit FNV-1a hash of a text, the same on every machine and in every run.
 *
 * @param seed - any integer; another seed gives another, equally stable hash
 */
export const hash = (text: string, seed = 0): number => {
  let h = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  // FNV's low bits are weak, and `pick` takes a remainder.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** One of the choices: number `n mod length`, for a natural `n`. */
export const pick = <A>(choices: readonly [A, ...ReadonlyArray<A>], n: number): A =>
  choices[n % choices.length] ?? choices[0]

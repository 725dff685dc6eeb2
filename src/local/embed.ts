import { hash } from './hash.js'
import { isCommon, stemOf, wordsOf } from './words.js'

/**
 * A text as a vector of length 1. Each word that says something about a topic adds a direction of its own, so texts that
 * share such words are near each other. Deterministic, without a model; good enough to try retrieval.
 */
export const embed = (text: string, dimensions: number): ReadonlyArray<number> => {
  const vector = new Float64Array(dimensions)
  const stems = wordsOf(text)
    .filter((word) => !isCommon(word))
    .map(stemOf)
  for (const stem of stems.length > 0 ? stems : [text]) {
    // A few coordinates per word are enough: two words rarely share them all.
    for (let seed = 0; seed < 8; seed++) {
      const hashed = hash(stem, seed)
      const at = hashed % dimensions
      vector[at] = (vector[at] ?? 0) + (hashed & 0x80000000 ? 1 : -1)
    }
  }
  const length = Math.hypot(...vector)
  return length === 0 ? [1, ...vector.subarray(1)] : [...vector].map((x) => x / length)
}

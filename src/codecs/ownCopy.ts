import type { Fields } from './Fields.js'
import { mergeAttributes } from './mergeAttributes.js'

/** A copy that later changes to the caller's objects don't reach, as deep as it can be. */
export const ownCopy = <A extends Fields>(attributes: A): A => {
  try {
    return structuredClone(attributes)
  } catch {
    return mergeAttributes(attributes, attributes)
  }
}

import { defined } from './defined.js'
import { Fields } from './Fields.js'

/**
 * Lays fields over others: `metadata` merges by key, everything else is replaced, and what is `undefined` hides nothing.
 * Neither is changed.
 */
export const mergeAttributes = <A extends Fields>(under: A, over: A): A => {
  const merged = { ...under, ...defined(over) }
  return Fields.is(under.metadata) && Fields.is(over.metadata)
    ? { ...merged, metadata: { ...under.metadata, ...over.metadata } }
    : merged
}

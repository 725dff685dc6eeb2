import { defined } from './defined.js'
import { Fields } from './Fields.js'
import { fieldsOf } from './fieldsOf.js'

/**
 * Lays fields over others: `metadata` merges by key, everything else is replaced, and a field that is `undefined` hides
 * nothing. Neither is changed, and neither shares its `metadata` with the result: users keep theirs, and change it.
 */
export const mergeAttributes = <A extends Fields>(under: A, over: A): A => {
  const merged = { ...under, ...defined(over) }
  const { metadata } = merged
  if (!Fields.is(metadata)) return merged
  return { ...merged, metadata: { ...fieldsOf(under.metadata), ...metadata } }
}

import { defined } from './defined.js'
import { Fields } from './Fields.js'
import { fieldsOf } from './fieldsOf.js'

/**
 * Merges attributes: `over` wins, except that `metadata` merges by key and a field that is `undefined` overrides
 * nothing. Neither argument is changed, nor shares its `metadata` with the result, since users may mutate theirs later.
 */
export const mergeAttributes = <A extends Fields>(under: A, over: A): A => {
  const merged = { ...under, ...defined(over) }
  const { metadata } = merged
  if (!Fields.is(metadata)) return merged
  return { ...merged, metadata: { ...fieldsOf(under.metadata), ...metadata } }
}

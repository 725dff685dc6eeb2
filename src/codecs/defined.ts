import type { Fields } from './Fields.js'

/** Without the fields that are `undefined`: they are not sent, so they must not hide what lies beneath. */
export const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

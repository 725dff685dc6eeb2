import { Fields } from './Fields.js'

/** The fields of an object; none of anything else. */
export const fieldsOf = (value: unknown): Fields => (Fields.is(value) ? value : {})

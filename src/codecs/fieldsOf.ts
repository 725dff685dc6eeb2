import { Fields } from './Fields.js'

/** The value itself if it is a JSON object, otherwise an object without fields. */
export const fieldsOf = (value: unknown): Fields => (Fields.is(value) ? value : {})

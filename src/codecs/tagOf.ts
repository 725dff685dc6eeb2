/**
 * The tag of a value: `Object`, `Array`, `Map`, `Error`, … For what `instanceof` can't tell, because there are several classes
 * of one name: Jest gives a test its own globals, but what Node makes (the errors of `fetch` and `fs`, a `structuredClone`) is
 * of Node's.
 */
export const tagOf = (value: unknown): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1)

/**
 * The tag of a value: `Object`, `Array`, `Map`, `Error`, … For what a class can't tell, since there are several of them: Jest
 * gives a test globals of its own, but what Node makes (the errors of `fetch` and `fs`, a `structuredClone`) is of the others.
 */
export const tagOf = (value: unknown): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1)

/**
 * What a value is, by its tag: `Object`, `Array`, `Map`, `Error`, … Its class does not tell where there are several: Jest
 * gives a test globals of its own, but what Node makes (the errors of `fetch` and `fs`, a `structuredClone`) is of the others.
 */
export const kindOf = (value: unknown): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1)

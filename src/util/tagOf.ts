/**
 * The tag of a value: `Object`, `Array`, `Map`, `Error`, … Unlike `instanceof`, it works across realms, which have
 * classes of their own under the same names: Jest gives a test its own globals, but what Node makes (the errors of
 * `fetch` and `fs`, a `structuredClone`) has Node's classes.
 */
export const tagOf = (value: unknown): string =>
  Object.prototype.toString.call(value).slice('[object '.length, -1)

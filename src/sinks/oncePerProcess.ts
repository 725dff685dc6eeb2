import { version } from '../version.js'

/**
 * Makes something once per process, however many copies of the library are loaded: Next.js bundles one for its
 * instrumentation and another for its routes, and each hot reload loads one more. Different versions of the library do
 * not share it, since its shape may differ.
 */
export const oncePerProcess = <A extends object>(name: string, make: () => A): (() => A) => {
  const key = Symbol.for(`respan-rx.${name}@${version}`)
  return () => {
    const shared: typeof globalThis & { [key]?: A } = globalThis
    const one = shared[key] ?? make()
    // Not enumerable: it may hold API keys, which must not appear when the global object is printed.
    if (shared[key] === undefined) Object.defineProperty(shared, key, { value: one })
    return one
  }
}

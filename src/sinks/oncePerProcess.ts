import { version } from '../version.js'

/**
 * Makes something once per process, however many copies of the library are loaded there: Next.js bundles one for its
 * instrumentation and another for its routes, and each hot reload makes one more. Another version may have another kind of it.
 */
export const oncePerProcess = <A extends object>(name: string, make: () => A): (() => A) => {
  const key = Symbol.for(`respan-rx.${name}@${version}`)
  return () => {
    const shared: typeof globalThis & { [key]?: A } = globalThis
    const one = shared[key] ?? make()
    // Not enumerable: it may hold keys, and whoever prints the global object prints none of them.
    if (shared[key] === undefined) Object.defineProperty(shared, key, { value: one })
    return one
  }
}

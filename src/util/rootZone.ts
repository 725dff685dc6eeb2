/** The runtime, as far as this file needs it: with zone.js where Angular has loaded it. */
interface Runtime {
  readonly Zone?: { readonly root?: RootZone }
}

/** The zone outside all others. */
export interface RootZone {
  readonly run: <A>(fn: () => A) => A
}

/** The root zone of zone.js; `undefined` if zone.js isn't loaded, or `Zone` is something else. */
export const rootZone = (): RootZone | undefined => {
  const { Zone } = globalThis as Runtime
  const root = Zone?.root
  return typeof root?.run === 'function' ? root : undefined
}

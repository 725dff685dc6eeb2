/** As this file sees the runtime: with zone.js, where Angular has loaded it. */
interface Runtime {
  readonly Zone?: { readonly root?: RootZone }
}

/** Where zone.js runs what belongs to nobody. */
export interface RootZone {
  readonly run: <A>(fn: () => A) => A
}

/** The root zone of zone.js; `undefined` where that is not loaded, or `Zone` is somebody else's. */
export const rootZone = (): RootZone | undefined => {
  const { Zone } = globalThis as Runtime
  const root = Zone?.root
  return typeof root?.run === 'function' ? root : undefined
}

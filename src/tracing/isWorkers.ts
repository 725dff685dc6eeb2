/** As this file sees the runtime. */
interface Runtime {
  readonly navigator?: { readonly userAgent?: string }
}

/**
 * Whether this is one of Cloudflare's Workers.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/web-standards/#navigatoruseragent
 */
export const isWorkers = (): boolean => {
  const { navigator }: Runtime = globalThis
  return navigator?.userAgent === 'Cloudflare-Workers'
}

/** The runtime, as far as this file needs it. */
interface Runtime {
  readonly navigator?: { readonly userAgent?: string }
}

/**
 * Whether the code runs on Cloudflare Workers.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/web-standards/#navigatoruseragent
 */
export const isWorkers = (): boolean => {
  const { navigator }: Runtime = globalThis
  return navigator?.userAgent === 'Cloudflare-Workers'
}

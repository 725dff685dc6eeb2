const RESPAN_CLOUD = 'api.respan.ai'
const TRACES = 'https://platform.respan.ai/platform/traces'

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Finds the page that shows traces sent to a base URL: on the platform for Respan's cloud, on the gateway itself if that
 * runs on this machine. For other hosts it is unknown.
 *
 * @param baseUrl - a normalised base URL
 * @returns a function from a trace's id to the address of its page, or `undefined` if that is unknown
 * @see https://platform.respan.ai/platform/traces
 */
export const traceUrl = (baseUrl: string): ((traceId: string) => string) | undefined => {
  const { origin, hostname } = new URL(baseUrl)
  if (hostname === RESPAN_CLOUD)
    return (traceId) => `${TRACES}?trace_unique_id=${encodeURIComponent(traceId)}`
  return LOOPBACK.test(hostname) ? (traceId) => `${origin}/traces/${encodeURIComponent(traceId)}` : undefined
}

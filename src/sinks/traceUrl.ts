const RESPAN_CLOUD = 'api.respan.ai'
const TRACES = 'https://platform.respan.ai/platform/traces'

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Tells where traces that go to a base URL are shown: those at Respan's cloud on its platform, those at a gateway on
 * this machine by the gateway itself. Of other hosts nothing is known.
 *
 * @param baseUrl - a normalised one
 * @returns the address of a trace's page by its id, or `undefined`
 * @see https://platform.respan.ai/platform/traces
 */
export const traceUrl = (baseUrl: string): ((traceId: string) => string) | undefined => {
  const { origin, hostname } = new URL(baseUrl)
  if (hostname === RESPAN_CLOUD)
    return (traceId) => `${TRACES}?trace_unique_id=${encodeURIComponent(traceId)}`
  return LOOPBACK.test(hostname) ? (traceId) => `${origin}/traces/${encodeURIComponent(traceId)}` : undefined
}

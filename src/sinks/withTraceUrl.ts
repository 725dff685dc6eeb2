/**
 * Adds a `traceUrl` that is looked up whenever it is read: it may depend on the environment, which building something
 * never reads.
 *
 * @param target - a sink or a transport, which is changed and returned
 */
export const withTraceUrl = <A extends { readonly traceUrl?: (traceId: string) => string }>(
  target: A,
  traceUrl: () => A['traceUrl'],
): A => Object.defineProperty(target, 'traceUrl', { get: traceUrl, enumerable: true, configurable: true })

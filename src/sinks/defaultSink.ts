import { type Environment, readEnvironment } from '../codecs/Environment.js'
import type { Sink } from '../tracing/Sink.js'
import { bufferSettings } from './BufferPolicy.js'
import { buffering } from './buffering.js'
import { oncePerProcess } from './oncePerProcess.js'
import { transportTo } from './respanTransport.js'

// A flush in one copy of the library must include what was traced in another.
const sinks = oncePerProcess('defaultSinks', () => new Map<string, Sink>())

const keyOf = ({ RESPAN_API_KEY: key = '', RESPAN_BASE_URL: url = '' }: Environment): string =>
  `${url}\n${key}`

/**
 * Returns the sink for the current environment, which traces without a `sink` use. It is made at the first call and
 * kept, one for each pair of `RESPAN_API_KEY` and `RESPAN_BASE_URL`, however often a bundler or a hot reload loads the
 * library. It is exported so that a server can flush it.
 *
 * It is a `bufferedSink` over `respanTransport`, both with their defaults. Without a key for Respan's own host it never
 * throws: it warns once (`RESPAN_MISSING_API_KEY`), and spans count as dropped.
 */
export const defaultSink = (): Sink => {
  const environment = readEnvironment()
  const key = keyOf(environment)
  const known = sinks().get(key)
  if (known !== undefined) return known
  // With the environment as it is now, so that spans traced under one key are never sent with a later one.
  const sink = buffering(transportTo({}, environment), bufferSettings({}))
  sinks().set(key, sink)
  return sink
}

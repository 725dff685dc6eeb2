import { hasMethods } from '../codecs/hasMethods.js'
import { refuse } from '../codecs/refuse.js'

/** Refuses what isn't a sink, at once. @throws InvalidInput that names the parameter */
export const checkSink = (subject: string, parameter: string, sink: unknown): void => {
  if (!hasMethods(sink, 'next', 'flush', 'close', 'stats'))
    refuse(subject, parameter, 'a sink, such as bufferedSink(respanTransport()) makes', sink)
}

import { refuse } from '../codecs/refuse.js'
import { hasMethods } from '../util/hasMethods.js'

/** Refuses a value that isn't a sink. @throws InvalidInput that names the parameter */
export const checkSink = (subject: string, parameter: string, sink: unknown): void => {
  if (!hasMethods(sink, 'next', 'flush', 'close', 'stats'))
    refuse(subject, parameter, 'a sink, such as bufferedSink(respanTransport())', sink)
}

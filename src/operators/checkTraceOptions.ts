import { hasMethods } from '../codecs/hasMethods.js'
import { refuse } from '../codecs/refuse.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import type { TraceOptions } from './TraceOptions.js'

/** The kinds of the options of a trace; complete by its type, so that none that is read is refused. */
export const TRACE_OPTIONS: Readonly<Record<keyof TraceOptions, OptionKind>> = {
  sink: true,
  attributes: true,
  onStart: 'function',
  captureContent: 'boolean',
  redact: 'function',
  maxContentBytes: true,
  clock: true,
  ids: true,
  deep: 'boolean',
  asyncContext: 'boolean',
}

const OPTIONS = { ...TRACE_OPTIONS, output: 'function' } as const

/** Of the options that are objects: the methods that are called, and what has them. */
const OBJECTS = [
  ['sink', ['next'], 'a sink, such as bufferedSink(respanTransport()) makes'],
  ['clock', ['now'], 'a clock, such as Date'],
  ['ids', ['trace', 'span'], 'an object with the functions trace and span'],
] as const satisfies ReadonlyArray<readonly [keyof TraceOptions, ReadonlyArray<string>, string]>

/**
 * Refuses options that a trace can't be made of, but for its attributes.
 *
 * @param subject - who was given them: the first word of the error's message
 * @throws InvalidInput
 */
export const checkTraceOptions = (subject: string, options: TraceOptions): void => {
  refuseUnknown(subject, options, OPTIONS)
  for (const [key, methods, expected] of OBJECTS) {
    const value = options[key]
    if (value !== undefined && !hasMethods(value, ...methods)) refuse(subject, key, expected, value)
  }
  const { maxContentBytes } = options
  if (maxContentBytes === undefined || (typeof maxContentBytes === 'number' && maxContentBytes >= 0)) return
  refuse(subject, 'maxContentBytes', 'number of bytes from 0', maxContentBytes)
}

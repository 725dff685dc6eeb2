import { TraceAttributes } from '../codecs/RespanAttributes.js'
import { refuse } from '../codecs/refuse.js'
import { type OptionKind, refuseUnknown } from '../codecs/refuseUnknown.js'
import { hasMethods } from '../util/hasMethods.js'
import type { TraceOptions } from './TraceOptions.js'

/** What kind each option of a trace is. Its type demands every option: none that is read can be refused as unknown. */
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

/** The options that are objects: the methods that they need, and what has them. */
const OBJECTS = [
  ['sink', ['next'], 'a sink, such as bufferedSink(respanTransport())'],
  ['clock', ['now'], 'a clock, such as Date'],
  ['ids', ['trace', 'span'], 'an object with the functions trace and span'],
] as const satisfies ReadonlyArray<readonly [keyof TraceOptions, ReadonlyArray<string>, string]>

/** Where an unknown option belongs that is the name of an attribute. */
export const traceElsewhere = (option: string): string | undefined =>
  Object.hasOwn(TraceAttributes.type.props, option) ? `attributes.${option}` : undefined

/**
 * Refuses options of which no trace can be made; `attributes` are left to the caller.
 *
 * @param subject - who was given them: the first word of the error's message
 * @throws InvalidInput
 */
export const checkTraceOptions = (subject: string, options: TraceOptions): void => {
  refuseUnknown(subject, options, OPTIONS, traceElsewhere)
  for (const [key, methods, expected] of OBJECTS) {
    const value = options[key]
    if (value !== undefined && !hasMethods(value, ...methods)) refuse(subject, key, expected, value)
  }
  const { maxContentBytes } = options
  if (maxContentBytes === undefined || (typeof maxContentBytes === 'number' && maxContentBytes >= 0)) return
  refuse(subject, 'maxContentBytes', 'number of bytes, at least 0', maxContentBytes)
}

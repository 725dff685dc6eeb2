import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'
import type { SpanType } from '../tracing/SpanEvent.js'

const TYPES: Readonly<Record<SpanType, true>> = {
  workflow: true,
  task: true,
  agent: true,
  tool: true,
  generation: true,
}

/**
 * What kind of span an operator was asked for; `task` unless told.
 *
 * @param known - an object with the operator's options as its keys
 * @throws InvalidInput for an unknown option or type
 */
export const spanTypeOf = (
  operator: string,
  options: { readonly type?: SpanType },
  known: Parameters<typeof refuseUnknown>[2],
): SpanType => {
  refuseUnknown(operator, options, known)
  const { type = 'task' } = options
  // A list of one type has the same key as the type.
  if (typeof type === 'string' && Object.hasOwn(TYPES, type)) return type
  return refuse(operator, 'type', `one of ${Object.keys(TYPES).join(', ')}`, type)
}

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
 * The span type among an operator's options, by default `task`.
 *
 * @param known - an object whose keys are the operator's options
 * @throws InvalidInput for an unknown option or type
 */
export const spanTypeOf = (
  operator: string,
  options: { readonly type?: SpanType },
  known: Parameters<typeof refuseUnknown>[2],
): SpanType => {
  refuseUnknown(operator, options, known)
  const { type = 'task' } = options
  // A text, since a list of one type would be the same key as the type itself.
  if (typeof type === 'string' && Object.hasOwn(TYPES, type)) return type
  return refuse(operator, 'type', `one of ${Object.keys(TYPES).join(', ')}`, type)
}

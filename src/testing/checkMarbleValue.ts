import { Fields } from '../codecs/Fields.js'
import { refuse } from '../codecs/refuse.js'
import type { GatewayEvent } from '../sources/Gateway.js'
import { step } from '../util/step.js'

const EVENTS: Readonly<Record<GatewayEvent['_tag'], true>> = {
  Attempt: true,
  Headers: true,
  Chunk: true,
  Response: true,
}

const isText = (value: unknown): boolean => typeof value === 'string'

const FORMS: ReadonlyArray<readonly [field: string, is: (value: unknown) => boolean]> = [
  ['reasoning', isText],
  ['refusal', isText],
  ['toolCall', Fields.is],
  ['finish', isText],
  ['usage', Fields.is],
  ['choices', Array.isArray],
  ['_tag', (tag) => typeof tag === 'string' && Object.hasOwn(EVENTS, tag)],
]

/** Refuses what a marble can't stand for: it would be a chunk that says nothing. @throws InvalidInput */
export const checkMarbleValue = (marble: string, value: unknown): void => {
  if (value === undefined || typeof value === 'string') return
  if (Fields.is(value) && FORMS.some(([field, is]) => is(value[field]))) return
  const expected = 'a string, or an object with reasoning, refusal, toolCall, finish, usage, choices or _tag'
  refuse('marbleGateway', step('values', marble), expected, value)
}

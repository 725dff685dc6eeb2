import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { TraceAttributes } from './RespanAttributes.js'
import { Usage } from './Usage.js'
import { finite, nullable, oneOf, wire } from './wire.js'

const StoredError = wire(
  t.intersection([
    t.type({ tag: t.string, status: finite }),
    t.partial({ message: t.string, stack: t.string }),
  ]),
  'StoredError',
)

const StoredGeneration = wire(
  t.intersection([
    t.type({ usageSource: oneOf('reported', 'estimated', 'unknown') }),
    t.partial({
      model: t.string,
      stream: t.boolean,
      usage: Usage,
      cost: finite,
      finishReasons: t.readonlyArray(nullable(t.string), 'list of finish reasons'),
      request: Fields,
      requestId: t.string,
      logId: t.string,
      attempts: finite,
    }),
  ]),
  'StoredGeneration',
)

const StoredTotals = wire(
  t.intersection([
    t.type({ generations: finite, prompt_tokens: finite, completion_tokens: finite, total_tokens: finite }),
    t.partial({ cost: finite, estimated: t.literal(true) }),
  ]),
  'StoredTotals',
)

/**
 * A finished span as a spool keeps it: the `Span` itself, as JSON. Times are in ms since the epoch, costs in USD. A root
 * has no `parentId`; decoding restores it as `undefined`.
 *
 * The fields have this library's names, not the platform's, since a later version may send what is on the disk.
 */
export const StoredSpan = wire(
  t.intersection([
    t.type({
      traceId: t.string,
      spanId: t.string,
      parentId: t.union([t.string, t.undefined], 'string or undefined'),
      name: t.string,
      type: oneOf('workflow', 'task', 'agent', 'tool', 'generation'),
      path: t.string,
      workflow: t.string,
      trace: t.string,
      startedAt: finite,
      endedAt: finite,
      status: oneOf('ok', 'error', 'cancelled', 'truncated'),
    }),
    t.partial({
      firstOutputAt: finite,
      input: t.string,
      output: t.string,
      error: StoredError,
      leftEarly: t.literal(true),
      generation: StoredGeneration,
      totals: StoredTotals,
      attributes: TraceAttributes,
    }),
  ]),
  'StoredSpan',
)

/** A finished span as a spool keeps it. */
export type StoredSpan = t.TypeOf<typeof StoredSpan>

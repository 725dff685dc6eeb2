import type { Mutable } from '../codecs/Mutable.js'
import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import { contentText } from './contentText.js'
import { addOutput, announcePart, emptyOutput, type Output, outputText, releaseOutput } from './Output.js'
import type { Generation, SpanEnded, SpanStarted, SpanTotals, SpanType } from './SpanEvent.js'
import { spanError, statusOfError } from './spanError.js'
import type { Trace } from './Trace.js'

/** A span under way: what its operator knows and its end will tell. */
export interface OpenSpan {
  readonly trace: Trace
  readonly id: string
  readonly parent: OpenSpan | null
  readonly name: string
  readonly type: SpanType
  readonly path: string
  readonly output: Output
  /** The newest span below that has not ended; `older` and `newer` link it to the others. */
  newestChild: OpenSpan | undefined
  older: OpenSpan | undefined
  newer: OpenSpan | undefined
  /** When the last span below began or ended, ms since the epoch. */
  lastChildAt: number
  /** A workflow's input for its end to tell, known when the first component below it starts; `null` once there is none to tell. */
  input: string | null | undefined
  /** What came in, for a span that stands for many values. */
  inputs: Output | undefined
  firstOutput: boolean
  /** For a span that knows when its work is done before it is torn down: whether it is. Else `undefined`. */
  settled: boolean | undefined
  /** How it ends, while it is torn down, or has not begun. */
  leaving: SpanEnd | undefined
  ended: boolean
}

export interface SpanStart {
  readonly name: string
  readonly type: SpanType
  readonly input?: unknown
  readonly attributes?: TraceAttributes | undefined
}

/** What enters the first component below a workflow is the workflow's own input. */
const enter = (parent: OpenSpan | null, input: string | undefined): void => {
  for (let span = parent; span?.type === 'workflow' && span.input === undefined; span = span.parent)
    span.input = input ?? null
}

const adopt = (parent: OpenSpan, child: OpenSpan, at: number): void => {
  parent.lastChildAt = Math.max(parent.lastChildAt, at)
  child.older = parent.newestChild
  if (child.older !== undefined) child.older.newer = child
  parent.newestChild = child
}

const release = (parent: OpenSpan, child: OpenSpan): void => {
  const { older, newer } = child
  if (older !== undefined) older.newer = newer
  if (newer !== undefined) newer.older = older
  else parent.newestChild = older
  // What keeps an ended span, as a promise of it does, must not keep those that came after it, each by the one before.
  child.older = undefined
  child.newer = undefined
}

/** How a span ends whose consumer leaves while it is opened: from a sink, or from `onStart`. */
const NOT_BEGUN: SpanEnd = { status: 'cancelled' }

/** Opens a span and tells the sink. What encloses it may be left by that, and then it ends first, unless it has begun. */
export const startSpan = (trace: Trace, parent: OpenSpan | null, start: SpanStart): OpenSpan => {
  const { name, type, attributes = trace.attributes } = start
  const at = trace.now()
  const known = 'input' in start
  const input = known ? contentText(start.input, trace) : undefined
  const span: OpenSpan = {
    trace,
    id: trace.spanId(),
    parent,
    name,
    type,
    path: parent === null ? '' : parent.path === '' ? parent.name : `${parent.path}.${parent.name}`,
    output: emptyOutput(),
    newestChild: undefined,
    older: undefined,
    newer: undefined,
    lastChildAt: Number.NEGATIVE_INFINITY,
    input: known ? null : undefined,
    inputs: undefined,
    firstOutput: false,
    settled: undefined,
    leaving: NOT_BEGUN,
    ended: false,
  }
  if (parent !== null) adopt(parent, span, at)
  if (known) enter(parent, input)
  // Assigned one by one, here and below: spreads that depend on a condition cost more than all the rest of the event.
  const event: Mutable<SpanStarted> = {
    _tag: 'SpanStarted',
    traceId: trace.id,
    spanId: span.id,
    at,
    parentId: parent?.id,
    name,
    type,
    path: span.path,
    workflow: trace.workflow,
    trace: trace.name,
  }
  if (input !== undefined) event.input = input
  if (attributes !== undefined) event.attributes = attributes
  trace.emit(event)
  return span
}

/** Marks the first output; later calls do nothing, nor does one after the end. */
export const markFirstOutput = (span: OpenSpan, at?: number): void => {
  if (span.firstOutput || span.ended) return
  span.firstOutput = true
  const { trace } = span
  trace.emit({ _tag: 'SpanFirstOutput', traceId: trace.id, spanId: span.id, at: at ?? trace.now() })
}

/** Records a value that came out, now unless told when. A shared source may outlive the span: nothing is added then. */
export const recordOutput = (span: OpenSpan, value: unknown, at?: number): void => {
  if (span.ended) return
  markFirstOutput(span, at)
  const part = addOutput(span.output, span.trace, value)
  // What encloses it may hand the text on as it is.
  if (part !== undefined && span.parent !== null) announcePart(span.parent.output, part)
}

/** Takes in a value that came in, for a span that stands for many. */
export const recordInput = (span: OpenSpan, value: unknown): void => {
  if (span.ended) return
  if (span.inputs === undefined) {
    span.inputs = emptyOutput()
    if (span.parent?.input === undefined) enter(span.parent, contentText(value, span.trace))
  }
  addOutput(span.inputs, span.trace, value)
}

/**
 * Whether tearing the span down now would interrupt work: its own if it tells when that is done, otherwise
 * while nothing has come out or something below it is at work.
 */
const isWorking = (span: OpenSpan): boolean => {
  if (span.settled !== undefined) return !span.settled
  if (span.output.count === 0) return true
  for (let child = span.newestChild; child !== undefined; child = child.older)
    if (isWorking(child)) return true
  return false
}

/** Whether spans below have not ended yet. */
export const hasOpenChildren = ({ newestChild }: OpenSpan): boolean => newestChild !== undefined

/** How a span ends, and what it has to say about it. */
export interface SpanEnd extends Pick<SpanEnded, 'status' | 'error' | 'leftEarly' | 'generation'> {
  /** Instead of what was recorded value by value. */
  readonly output?: string | undefined
}

/** The end of a span whose consumer left: interrupted when work was under way, otherwise fine. */
export const leftEnd = (span: OpenSpan): SpanEnd =>
  isWorking(span) ? { status: 'cancelled' } : { status: 'ok', leftEarly: true }

/** The end of a span that met an error. */
export const failedEnd = (span: OpenSpan, error: unknown): SpanEnd => ({
  status: statusOfError(error),
  error: spanError(error, span.trace),
})

const addTotals = ({ totals }: Trace, { usage, usageSource, cost }: Generation): void => {
  totals.generations++
  if (usageSource === 'estimated') totals.estimated = true
  totals.prompt_tokens += usage?.prompt_tokens ?? 0
  totals.completion_tokens += usage?.completion_tokens ?? 0
  totals.total_tokens += usage?.total_tokens ?? 0
  if (cost !== undefined) totals.cost = (totals.cost ?? 0) + cost
}

/** In one order, whichever generation told its cost, or was left, first. */
const inOrder = ({ cost, estimated, ...totals }: SpanTotals): SpanTotals => ({
  ...totals,
  ...(cost === undefined ? {} : { cost }),
  ...(estimated === undefined ? {} : { estimated }),
})

/** Every promise that was made inside a span holds it, and may live as long as the process. */
const releaseContent = (span: OpenSpan): void => {
  if (span.input !== undefined) span.input = null
  releaseOutput(span.output)
  if (span.inputs !== undefined) releaseOutput(span.inputs)
}

/** Whoever leaves from a finalizer leaves what encloses it, too: what is being torn down ends first. */
const endLeaving = ({ newestChild }: OpenSpan, at: number): void => {
  for (let child = newestChild; child !== undefined; ) {
    const { older, leaving } = child
    if (leaving !== undefined) endSpan(child, leaving, at)
    child = older
  }
}

/** Ends a span and tells the sink; only the first call counts. */
export const endSpan = (span: OpenSpan, end: SpanEnd, at = span.trace.now()): void => {
  if (span.ended) return
  span.ended = true
  endLeaving(span, at)
  const { trace, parent } = span
  if (parent !== null) {
    release(parent, span)
    parent.lastChildAt = Math.max(parent.lastChildAt, at)
  }
  const { status, error, leftEarly, generation } = end
  if (generation !== undefined) addTotals(trace, generation)
  const output = end.output ?? outputText(span.output, trace)
  const input = span.inputs === undefined ? (span.input ?? undefined) : outputText(span.inputs, trace)
  releaseContent(span)
  const event: Mutable<SpanEnded> = { _tag: 'SpanEnded', traceId: trace.id, spanId: span.id, at, status }
  if (input !== undefined) event.input = input
  if (output !== undefined) event.output = output
  if (error !== undefined) event.error = error
  if (leftEarly !== undefined) event.leftEarly = leftEarly
  if (generation !== undefined) event.generation = generation
  if (parent === null && trace.totals.generations > 0) event.totals = inOrder(trace.totals)
  trace.emit(event)
}

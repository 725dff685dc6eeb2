import type { TraceAttributes } from '../codecs/RespanAttributes.js'
import type { Mutable } from '../util/Mutable.js'
import { contentText } from './contentText.js'
import { addOutput, emptyOutput, type Output, outputText, releaseOutput } from './Output.js'
import { announce, type ReplyPart, replyParts } from './replyParts.js'
import type { Generation, SpanEnded, SpanStarted, SpanTotals, SpanType } from './SpanEvent.js'
import { spanError, statusOfError } from './spanError.js'
import type { Trace } from './Trace.js'

/** A span under way: what its end and its children need to know of it. */
export interface OpenSpan {
  readonly trace: Trace
  readonly id: string
  readonly parent: OpenSpan | null
  readonly name: string
  readonly type: SpanType
  readonly path: string
  readonly output: Output
  /** The newest child that hasn't ended. `older` and `newer` link a child to its siblings that haven't ended either. */
  newestChild: OpenSpan | undefined
  older: OpenSpan | undefined
  newer: OpenSpan | undefined
  /** When a child last began or ended, in ms since the epoch. */
  lastChildAt: number
  /** A workflow's input, known when the first component below it starts and recorded at the end; `null` if there is none. */
  input: string | null | undefined
  /** The values that came in, for a span that stands for many. */
  inputs: Output | undefined
  firstOutput: boolean
  /** Whether the work is done, for a span that knows this before its teardown; otherwise `undefined`. */
  settled: boolean | undefined
  /** How it will end, once its teardown has begun, or if its run never begins. */
  leaving: SpanEnd | undefined
  ended: boolean
}

export interface SpanStart {
  readonly name: string
  readonly type: SpanType
  readonly input?: unknown
  readonly attributes?: TraceAttributes | undefined
}

/** Makes the input of a workflow's first component the input of the workflow, too. */
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
  // Whatever keeps an ended span, such as a promise made in it, must not keep all its later siblings, each by way of the one
  // before it.
  child.older = undefined
  child.newer = undefined
}

/** The end of a span whose consumer unsubscribes while it is opened, from a sink or from `onStart`. */
const NOT_BEGUN: SpanEnd = { status: 'cancelled' }

/**
 * Opens a span and emits its `SpanStarted`. A sink may unsubscribe the whole trace at that: until the run begins, and clears
 * `leaving`, the span then ends before its parents.
 */
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
  // Assigned one by one, here and below, because conditional spreads cost more than all the rest of the event.
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

/** Marks the first output. Later calls and calls after the end do nothing. */
export const markFirstOutput = (span: OpenSpan, at?: number): void => {
  if (span.firstOutput || span.ended) return
  span.firstOutput = true
  const { trace } = span
  trace.emit({ _tag: 'SpanFirstOutput', traceId: trace.id, spanId: span.id, at: at ?? trace.now() })
}

/** Announces a text that is about to come out, and the reply that it is a part of. */
export const announceOutput = ({ ended, output }: OpenSpan, part: ReplyPart): void => {
  if (ended) return
  output.parts ??= replyParts()
  announce(output.parts, part)
}

/**
 * Records a value that came out, by default now. After the end it does nothing, since a shared source may outlive the span.
 */
export const recordOutput = (span: OpenSpan, value: unknown, at?: number): void => {
  if (span.ended) return
  markFirstOutput(span, at)
  const part = addOutput(span.output, span.trace, value)
  // The enclosing span may emit the same text in turn.
  if (part !== undefined && span.parent !== null) announceOutput(span.parent, part)
}

/** Records a value that came in, for a span that stands for many. */
export const recordInput = (span: OpenSpan, value: unknown): void => {
  if (span.ended) return
  if (span.inputs === undefined) {
    span.inputs = emptyOutput()
    if (span.parent?.input === undefined) enter(span.parent, contentText(value, span.trace))
  }
  addOutput(span.inputs, span.trace, value)
}

/**
 * Whether tearing the span down now would interrupt work. A span that knows when it is settled decides itself; any other is
 * at work as long as nothing has come out of it, or a child is at work.
 */
const isWorking = (span: OpenSpan): boolean => {
  if (span.settled !== undefined) return !span.settled
  if (span.output.count === 0) return true
  for (let child = span.newestChild; child !== undefined; child = child.older)
    if (isWorking(child)) return true
  return false
}

/** Whether a child hasn't ended yet. */
export const hasOpenChildren = ({ newestChild }: OpenSpan): boolean => newestChild !== undefined

/** How a span ends. */
export interface SpanEnd extends Pick<SpanEnded, 'status' | 'error' | 'leftEarly' | 'generation'> {
  /** Replaces the output that was recorded value by value. */
  readonly output?: string | undefined
}

/** The end of a span whose consumer unsubscribed: `cancelled` if that interrupts work, otherwise `ok`. */
export const leftEnd = (span: OpenSpan): SpanEnd =>
  isWorking(span) ? { status: 'cancelled' } : { status: 'ok', leftEarly: true }

/** The end of a span that failed. */
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

/** Puts the fields in one order, whichever generation first added a cost or an estimate. */
const inOrder = ({ cost, estimated, ...totals }: SpanTotals): SpanTotals => ({
  ...totals,
  ...(cost === undefined ? {} : { cost }),
  ...(estimated === undefined ? {} : { estimated }),
})

/** Releases a span's content: every promise made inside the span holds it, and may live as long as the process. */
const releaseContent = (span: OpenSpan): void => {
  if (span.input !== undefined) span.input = null
  releaseOutput(span.output)
  if (span.inputs !== undefined) releaseOutput(span.inputs)
}

/** Ends the children whose teardown has begun: a finalizer of theirs may have unsubscribed from this span. */
const endLeaving = ({ newestChild }: OpenSpan, at: number): void => {
  for (let child = newestChild; child !== undefined; ) {
    const { older, leaving } = child
    if (leaving !== undefined) endSpan(child, leaving, at)
    child = older
  }
}

/** Ends a span and emits its `SpanEnded`. Only the first call counts. */
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

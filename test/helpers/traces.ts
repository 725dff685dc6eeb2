import type { Span, SpanEvent, SpanStarted } from '../../dist/tracing/SpanEvent.js'

const isStart = (event: SpanEvent): event is SpanStarted => event._tag === 'SpanStarted'

/** Spans under their parents, in the order of their starts: `root(first(inside),second)`. */
export const treeOf = (events: ReadonlyArray<SpanEvent>): string => {
  const starts = events.filter(isStart)
  const below = (parentId: string | undefined): string =>
    starts
      .filter((start) => start.parentId === parentId)
      .map(({ name, spanId }) => {
        const inside = below(spanId)
        return inside === '' ? name : `${name}(${inside})`
      })
      .join(',')
  return below(undefined)
}

/** Each span's status by its name, in the order of their ends; `left` is an `ok` whose consumer left early. */
export const statusesOf = (spans: ReadonlyArray<Span>): ReadonlyArray<string> =>
  spans.map(({ name, status, leftEarly }) => `${name} ${leftEarly === true ? 'left' : status}`)

/** What breaks the law of honest spans, if anything does. */
export const dishonesties = (events: ReadonlyArray<SpanEvent>): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const open = new Map<string, { readonly start: SpanStarted; outputs: number; below: number }>()
  const seen = new Set<string>()
  const last = new Map<string, number>()
  const moved = (id: string, at: number): boolean => {
    const before = last.get(id) ?? Number.NEGATIVE_INFINITY
    last.set(id, Math.max(before, at))
    return at >= before
  }
  for (const event of events) {
    const id = `${event.traceId} ${event.spanId}`
    const span = open.get(id)
    if (!moved(id, event.at)) wrong.push(`time goes back in ${id}`)
    switch (event._tag) {
      case 'SpanStarted': {
        if (seen.has(id)) wrong.push(`${event.name} starts twice`)
        seen.add(id)
        open.set(id, { start: event, outputs: 0, below: 0 })
        const parent = open.get(`${event.traceId} ${event.parentId}`)
        if (parent !== undefined) parent.below++
        else if (event.parentId !== undefined) wrong.push(`${event.name} starts under no open parent`)
        break
      }
      case 'SpanFirstOutput':
        if (span === undefined) wrong.push(`first output of ${id}, which is not open`)
        else if (++span.outputs > 1) wrong.push(`${span.start.name} has two first outputs`)
        break
      case 'SpanEnded': {
        if (span === undefined) {
          wrong.push(`end of ${id}, which is not open`)
          break
        }
        const { name, parentId } = span.start
        if (span.below > 0) wrong.push(`${name} ends before what is below it`)
        const parent = open.get(`${event.traceId} ${parentId}`)
        if (parent !== undefined) parent.below--
        // An enclosing span can't end before this one did.
        if (parentId !== undefined) moved(`${event.traceId} ${parentId}`, event.at)
        open.delete(id)
      }
    }
  }
  for (const { start } of open.values()) wrong.push(`${start.name} never ends`)
  return wrong
}

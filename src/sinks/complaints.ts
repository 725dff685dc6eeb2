import { Fields } from '../codecs/Fields.js'
import { jsonText } from '../tracing/contentText.js'
import type { Span } from '../tracing/SpanEvent.js'

/** Longest reason that is kept, in UTF-16 code units. */
const MAX_REASON = 300

/** The complaints in an answer. */
export interface Complaints {
  /** Why spans were refused, by their position in the batch. */
  readonly named: ReadonlyMap<number, string>
  /** Complaints that name no span. */
  readonly others: ReadonlyArray<string>
}

/**
 * Reads the complaints in an answer's body, and finds the spans of the batch that they are about. Their shape is
 * undocumented. These are recognised: a span's id anywhere in a complaint, except that of its parent; an `index`;
 * `span 2: …`; a path that starts with a number or has one in brackets (`errors: {"3": […]}`, `spans[3].model`,
 * `loc: ["body", 3, "model"]`); and a list as long as the batch, whose empty entries stand for spans that are fine.
 * Numbers count from 0.
 *
 * @param body - parsed JSON of an answer
 * @param batch - as it was sent
 */
export const complaints = (body: unknown, batch: ReadonlyArray<Span>): Complaints => {
  const named = new Map<number, string>()
  const others: Array<string> = []
  for (const [key, complaint] of complaintsOf(body, batch.length)) {
    const index = indexOf(key, complaint, batch)
    const text = textOf(complaint).slice(0, MAX_REASON)
    if (index === undefined) others.push(key === '' ? text : `${key}: ${text}`)
    else if (!named.has(index)) named.set(index, text)
  }
  return { named, others }
}

type Complaint = readonly [key: string, complaint: unknown]

const complaintsOf = (body: unknown, size: number): ReadonlyArray<Complaint> => {
  if (Array.isArray(body)) return listed(body, size)
  if (!Fields.is(body)) return []
  if (Array.isArray(body.errors)) return listed(body.errors, size)
  if (Fields.is(body.errors)) return Object.entries(body.errors)
  if (typeof body.errors === 'string' && body.errors !== '') return [['', body.errors]]
  return Array.isArray(body.detail) ? listed(body.detail, size) : []
}

const listed = (complaints: ReadonlyArray<unknown>, size: number): ReadonlyArray<Complaint> => {
  // One entry for each span, as Django REST framework answers a list.
  const byPosition =
    complaints.length === size && complaints.some(isEmptyObject) && complaints.every(Fields.is)
  return complaints.flatMap((complaint, index): ReadonlyArray<Complaint> => {
    if (!byPosition) return [['', complaint]]
    return isEmptyObject(complaint) ? [] : [[String(index), complaint]]
  })
}

const isEmptyObject = (value: unknown): boolean => Fields.is(value) && Object.keys(value).length === 0

const PATH = /^(?:\[?|[\w.]*\[|(?:data|spans|body)\.)(\d{1,9})(?:\D|$)/
const SENTENCE = /\b(?:span|item|index|entry|row)s?\s*(?:[#[]\s*)?(\d{1,9})\b/i

const indexOf = (key: string, complaint: unknown, batch: ReadonlyArray<Span>): number | undefined => {
  const text = textOf(complaint)
  const mentioned = batch.filter(
    ({ spanId }) => spanId !== '' && (text.includes(spanId) || key.includes(spanId)),
  )
  const placed = batch[numberIn(key, complaint, text) ?? batch.length]
  const named = placed === undefined ? mentioned : [...mentioned, placed]
  // A complaint may quote its span, and with it the id of the parent, which is not to blame.
  const isParent = ({ spanId }: Span): boolean => named.some(({ parentId }) => parentId === spanId)
  const meant = named.find((span) => !isParent(span)) ?? named[0]
  return meant === undefined ? undefined : batch.indexOf(meant)
}

const isInteger = (value: unknown): value is number => Number.isInteger(value)

const numberIn = (key: string, complaint: unknown, text: string): number | undefined => {
  const inKey = PATH.exec(key)?.[1]
  if (inKey !== undefined) return Number(inKey)
  if (Fields.is(complaint)) {
    const { index, loc } = complaint
    if (isInteger(index)) return index
    return Array.isArray(loc) ? loc.find(isInteger) : undefined
  }
  const inText = SENTENCE.exec(text)?.[1]
  return inText === undefined ? undefined : Number(inText)
}

const textOf = (complaint: unknown): string =>
  typeof complaint === 'string' ? complaint : (jsonText(complaint) ?? '')

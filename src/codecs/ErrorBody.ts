import * as t from 'io-ts'
import { tried } from '../util/tried.js'
import { Fields } from './Fields.js'
import { fieldsOf } from './fieldsOf.js'

/**
 * The body of a failed request, or of an error event in a stream. Respan sends `detail`, with `errors` by field (422),
 * `retry_after` in seconds (429) or `error_code` (500); a provider's error is passed through under `error`, as an
 * object with `message`, `type`, `param` and `code`, or as a string. None of this can be relied on, since a proxy may
 * answer in HTML or with an empty body. Hence every field is optional and unchecked; {@link errorMessage},
 * {@link errorCode} and {@link retryAfterSeconds} read them.
 *
 * @see https://respan.ai/docs/documentation/resources/reference/error-handling
 */
export const ErrorBody = t.readonly(
  t.partial({
    error: t.unknown,
    detail: t.unknown,
    message: t.unknown,
    errors: t.unknown,
    error_code: t.unknown,
    retry_after: t.unknown,
  }),
  'ErrorBody',
)

/** The body of a failed request, or of an error event in a stream. */
export type ErrorBody = t.TypeOf<typeof ErrorBody>

/**
 * Whether a body with status 200 is an error, rather than the response or chunk that was expected: its `error` is
 * truthy, or it has a `detail` and no `choices`.
 *
 * @param body - parsed JSON
 */
export const isErrorBody = (body: unknown): body is ErrorBody =>
  // The codec accepts every object. Checking all fields would take ten times as long, for every chunk of a stream.
  Fields.is(body) && (Boolean(body.error) || (Boolean(body.detail) && !('choices' in body)))

/** Longest message that is read from a body, in UTF-16 code units. */
const MESSAGE_LENGTH = 300

/**
 * Reads the message from an error's body, whatever its shape: `error.message`, `error` if it is a string, `detail`
 * followed by what `errors` says about the fields, `message`, `errors`, or else the start of the text (for an HTML
 * page, its title). At most 300 characters; `undefined` if there is no message.
 *
 * @param body - parsed JSON, or the text of a body that is not JSON
 */
export const errorMessage = (body: unknown): string | undefined => {
  // Google wraps its error in a list; Django REST framework sends a list of messages.
  const message = Array.isArray(body) ? joined(body.map(messageOf)) : messageOf(body)
  return message === undefined ? undefined : truncated(message)
}

/**
 * Reads the machine-readable code from an error's body: `error.code`, else `error.type`, else `error_code`.
 *
 * @param body - parsed JSON
 */
export const errorCode = (body: unknown): string | undefined => {
  const { error, error_code } = fieldsOf(Array.isArray(body) ? body[0] : body)
  const { code, type } = fieldsOf(error)
  return word(code) ?? word(type) ?? word(error_code)
}

/**
 * Reads from an error's body how long to wait: `retry_after`, in seconds, as a number or a string.
 *
 * @param body - parsed JSON
 */
export const retryAfterSeconds = (body: unknown): number | undefined => {
  const value = Fields.is(body) ? body.retry_after : undefined
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

const messageOf = (body: unknown): string | undefined =>
  typeof body === 'string' ? plain(body) : Fields.is(body) ? fromFields(body) : undefined

const fromFields = (body: Fields): string | undefined =>
  (Fields.is(body.error) ? text(body.error.message) : text(body.error)) ??
  fromDetail(body) ??
  text(body.message) ??
  listed(body.errors) ??
  json(body.error)

/** The `detail` of a 422 says only that something is wrong; `errors` says what. */
const fromDetail = ({ detail, errors }: Fields): string | undefined => {
  const summary = text(detail) ?? json(detail)
  const fields = listed(errors)
  return summary === undefined || fields === undefined ? summary : `${summary} (${fields})`
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined

const word = (value: unknown): string | undefined => (typeof value === 'number' ? String(value) : text(value))

const json = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null ? tried(() => JSON.stringify(value)) : undefined

/** The shapes that servers send: `["…"]`, `[{message: "…"}]`, `{"<field>": ["…"]}`. */
const listed = (errors: unknown): string | undefined =>
  Fields.is(errors)
    ? joined(Object.entries(errors).map(([field, value]) => under(field, entries(value))))
    : entries(errors)

const under = (field: string, message: string | undefined): string | undefined =>
  message === undefined ? undefined : `${field}: ${message}`

const entries = (value: unknown): string | undefined =>
  Array.isArray(value) ? joined(value.map(entry)) : entry(value)

const joined = (messages: ReadonlyArray<string | undefined>): string | undefined =>
  text(messages.filter((message) => message !== undefined).join('; '))

const entry = (value: unknown): string | undefined =>
  text(value) ?? (Fields.is(value) ? (text(value.message) ?? json(value)) : undefined)

const TITLE = /<title[^>]*>([^<]*)</i

const plain = (body: string): string | undefined => {
  const start = body.slice(0, 10_000).trim()
  return text(start.startsWith('<') ? (text(TITLE.exec(start)?.[1]) ?? start) : start)
}

const truncated = (message: string): string =>
  message.length > MESSAGE_LENGTH ? `${message.slice(0, MESSAGE_LENGTH - 1)}…` : message

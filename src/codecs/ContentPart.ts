import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { listOf, nullable, wire } from './wire.js'

/**
 * Text in a message. `cache_control` marks a prefix that Anthropic models may cache.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const TextPart = wire(
  t.intersection([
    t.type({ type: t.literal('text'), text: t.string }),
    t.partial({ cache_control: nullable(Fields) }),
  ]),
  'TextPart',
)

/** Text in a message. */
export type TextPart = t.TypeOf<typeof TextPart>

const ImageUrl = wire(
  t.intersection([t.type({ url: t.string }), t.partial({ detail: nullable(t.string) })]),
  'ImageUrl',
)

/**
 * An image in a message: a web address or a `data:` URL, either as a string or with the level of detail (`auto`, `low`,
 * `high`, or another one that newer models accept).
 */
const ImageUrlPart = wire(
  t.type({ type: t.literal('image_url'), image_url: t.union([t.string, ImageUrl], 'URL or ImageUrl') }),
  'ImageUrlPart',
)

/** An image in a message. */
type ImageUrlPart = t.TypeOf<typeof ImageUrlPart>

/** Text in a message, as the Responses API names it (`input_text`, `output_text`). */
const ResponsesTextPart = wire(
  t.type({
    type: t.union([t.literal('input_text'), t.literal('output_text')], 'input_text | output_text'),
    text: t.string,
  }),
  'ResponsesTextPart',
)

/** Text in a message, as the Responses API names it. */
type ResponsesTextPart = t.TypeOf<typeof ResponsesTextPart>

/** Audio, a file, or whatever else a provider accepts under these names. Its fields are passed on unchecked. */
const OpaquePart = wire(
  t.intersection([
    t.type({
      type: t.union(
        [
          t.literal('input_audio'),
          t.literal('file'),
          t.literal('input_image'),
          t.literal('input_file'),
          t.literal('tool_use'),
          t.literal('image'),
          t.literal('tool_result'),
        ],
        'part type',
      ),
    }),
    Fields,
  ]),
  'OpaquePart',
)

/** A part of which only the name is known. */
type OpaquePart = t.TypeOf<typeof OpaquePart>

/** The types of the parts whose fields are checked. */
const CHECKED_TYPES: ReadonlySet<string> = new Set(['text', 'image_url', 'input_text', 'output_text'])

/** A part of any other type, such as one that is added to the protocol later: passed on unchecked. */
const OtherPart = t.refinement(
  wire(t.type({ type: t.string }), 'OtherPart'),
  (part) => !CHECKED_TYPES.has(part.type),
  'OtherPart',
)

/** A part of a type that this library does not know. */
type OtherPart = t.TypeOf<typeof OtherPart>

/**
 * One part of a message's content, discriminated by `type`. Parts of an unknown type are kept and sent.
 * `'text' in part && typeof part.text === 'string'` narrows to the parts that have text.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const ContentPart: t.Type<ContentPart> = wire(
  t.union([TextPart, ImageUrlPart, ResponsesTextPart, OpaquePart, OtherPart], 'ContentPart'),
)

/** One part of a message's content. */
export type ContentPart = TextPart | ImageUrlPart | ResponsesTextPart | OpaquePart | OtherPart

/** The content of a message: text, or a list of parts. */
export const MessageContent = t.union([t.string, listOf(ContentPart)], 'string or list of ContentPart')

/** The content of a message: text, or a list of parts. */
export type MessageContent = t.TypeOf<typeof MessageContent>

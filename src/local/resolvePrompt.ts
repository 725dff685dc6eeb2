import { randomInt } from 'node:crypto'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from '#fp/Either'
import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { ContentPart, MessageContent } from '../codecs/ContentPart.js'
import type { Fields } from '../codecs/Fields.js'
import { messageText } from '../codecs/messages.js'
import { type PromptReference, TypedVariable } from '../codecs/PromptReference.js'
import { compileTemplate } from '../templates/compileTemplate.js'
import { isError } from '../util/isError.js'
import { type PromptStore, type StoredVersion, versionOf } from './promptStore.js'
import { type Refusal, refusal } from './Refusal.js'

/** A chat request whose prompt, if it had one, is rendered and merged into it. */
export interface ResolvedRequest {
  readonly request: ChatRequest
  readonly messages: ReadonlyArray<ChatMessage>
  /** The rendered messages, where the request asked to see them. */
  readonly promptMessage?: ReadonlyArray<ChatMessage>
}

interface Wanted {
  readonly prompt_id: string
  readonly version?: number | 'latest' | undefined
  readonly variables?: Fields | undefined
}

// The platform's limit: a prompt, its children and their children.
const MAX_DEPTH = 2

// Stands for an image in a rendered template, where the message is then cut into text and image parts. Random, so that no
// text of a template or a variable is taken for one.
const imageMark = (): string => `\uE000${randomInt(2 ** 47)}\uE001`

interface Filled {
  readonly values: Fields
  /** The URLs of the images, by the marks that stand for them. */
  readonly images: ReadonlyMap<string, string>
}

const findVersion = (store: PromptStore, { prompt_id, version }: Wanted): Either<Refusal, StoredVersion> => {
  const prompt = store.get(prompt_id)
  if (prompt === undefined) return left(refusal(404, `Prompt ${prompt_id} not found`))
  const found = versionOf(prompt, version)
  return found === undefined
    ? left(refusal(404, `Version ${version} of prompt ${prompt_id} not found`))
    : right(found)
}

const fillVariables = (
  store: PromptStore,
  variables: Fields,
  path: ReadonlyArray<string>,
): Either<Refusal, Filled> => {
  const values: Array<readonly [string, unknown]> = []
  const images = new Map<string, string>()
  for (const [name, value] of Object.entries(variables)) {
    if (!TypedVariable.is(value)) {
      values.push([name, value])
      continue
    }
    switch (value._type) {
      case 'image_url': {
        const mark = imageMark()
        images.set(mark, value.value)
        values.push([name, mark])
        break
      }
      case 'prompt': {
        const child = renderPrompt(store, value, path)
        if (isLeft(child)) return child
        values.push([name, child.right.messages.map(messageText).join('\n')])
        break
      }
      default:
        values.push([name, value.value])
    }
  }
  return right({ values: Object.fromEntries(values), images })
}

const partsOf = (text: string, images: Filled['images']): string | ReadonlyArray<ContentPart> => {
  // A group in its pattern makes `split` keep the marks.
  const pieces = images.size === 0 ? [text] : text.split(new RegExp(`(${[...images.keys()].join('|')})`, 'u'))
  if (pieces.length === 1) return text
  return pieces.flatMap((piece): ReadonlyArray<ContentPart> => {
    const url = images.get(piece)
    if (url !== undefined) return [{ type: 'image_url', image_url: { url } }]
    return piece.trim() === '' ? [] : [{ type: 'text', text: piece }]
  })
}

// With Jinja's own defaults: white space is kept, a missing variable is empty. Throws when it can't be rendered.
const renderText = (template: string, { images, values }: Filled): string | ReadonlyArray<ContentPart> =>
  partsOf(compileTemplate('Template', 'content', template).render(values), images)

const renderContent = (content: MessageContent, filled: Filled): MessageContent => {
  if (typeof content === 'string') return renderText(content, filled)
  return content.flatMap((part) => {
    if (!('text' in part) || typeof part.text !== 'string') return [part]
    const text = renderText(part.text, filled)
    return typeof text === 'string' ? [{ type: 'text' as const, text }] : text
  })
}

const renderMessage = (message: ChatMessage, filled: Filled): ChatMessage =>
  message.content == null ? message : { ...message, content: renderContent(message.content, filled) }

interface Rendered {
  readonly version: StoredVersion
  readonly messages: ReadonlyArray<ChatMessage>
}

const renderPrompt = (
  store: PromptStore,
  wanted: Wanted,
  path: ReadonlyArray<string>,
): Either<Refusal, Rendered> => {
  const { prompt_id } = wanted
  if (path.includes(prompt_id)) {
    return left(refusal(400, `Circular prompt composition: ${[...path, prompt_id].join(' -> ')}`))
  }
  if (path.length > MAX_DEPTH) {
    return left(
      refusal(400, `Prompt composition deeper than ${MAX_DEPTH}: ${[...path, prompt_id].join(' -> ')}`),
    )
  }
  const version = findVersion(store, wanted)
  if (isLeft(version)) return version
  const variables = { ...version.right.variables, ...wanted.variables }
  const filled = fillVariables(store, variables, [...path, prompt_id])
  if (isLeft(filled)) return filled
  try {
    const messages = version.right.messages.map((message) => renderMessage(message, filled.right))
    return right({ version: version.right, messages })
  } catch (error) {
    const problem = isError(error) ? error.message : String(error)
    return left(refusal(400, `Prompt ${prompt_id} can not be rendered. ${problem}`))
  }
}

const storedFields = ({
  model,
  params,
  fallback_models,
  load_balance_models,
}: StoredVersion): ChatRequest => ({
  ...params,
  ...(model === undefined ? {} : { model }),
  ...(fallback_models === undefined ? {} : { fallback_models }),
  ...(load_balance_models === undefined ? {} : { load_balance_models }),
})

const isV2 = (prompt: PromptReference): prompt is Extract<PromptReference, { schema_version: 2 }> =>
  prompt.schema_version === 2

// v2: the stored prompt beats the body, `patch` changes parameters, and the body's messages follow the prompt's.
// v1: the body beats the prompt; but with `override`, `override_params` beat the prompt, which beats the body.
const merge = (
  request: ChatRequest,
  prompt: PromptReference,
  { version, messages }: Rendered,
): ResolvedRequest => {
  const stored = storedFields(version)
  if (isV2(prompt)) {
    return {
      request: { ...request, ...stored, ...prompt.patch },
      messages: [...messages, ...(request.messages ?? [])],
    }
  }
  if (prompt.override !== true) {
    const own = request.messages ?? []
    return { request: { ...stored, ...request }, messages: own.length > 0 ? own : messages }
  }
  const { messages: extra, ...params } = prompt.override_params ?? {}
  const append = prompt.override_config?.messages_override_mode === 'append'
  return {
    request: { ...request, ...stored, ...params },
    messages: extra === undefined ? messages : append ? [...messages, ...extra] : extra,
  }
}

/**
 * Renders the managed prompt that a request refers to, and merges it into the request by the rules of its schema version. A
 * request without a prompt passes as it is.
 *
 * Refuses with 404 (no such prompt or version) and 400 (circular or too deep composition, template error).
 */
export const resolvePrompt = (store: PromptStore, request: ChatRequest): Either<Refusal, ResolvedRequest> => {
  const { prompt } = request
  // A custom prompt is managed elsewhere; it is named for the log only.
  if (prompt === undefined || (prompt.is_custom_prompt === true && request.messages !== undefined)) {
    return right({ request, messages: request.messages ?? [] })
  }
  const rendered = renderPrompt(store, prompt, [])
  if (isLeft(rendered)) return rendered
  const resolved = merge(request, prompt, rendered.right)
  return right(prompt.echo === false ? resolved : { ...resolved, promptMessage: resolved.messages })
}

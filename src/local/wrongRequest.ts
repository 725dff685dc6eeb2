import type { ChatMessage } from '../codecs/ChatMessage.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { messageText } from '../codecs/messages.js'
import { invalid, type Refusal } from './Refusal.js'

// OpenAI's limits.
const MOST_CHOICES = 128
const MOST_STOPS = 4

const NAME = /^[a-zA-Z0-9_-]{1,64}$/u
const NAMED = 'expected 1 to 64 letters, digits, underscores and hyphens'

type Problems = ReadonlyArray<string>

const when = (wrong: boolean, problem: string): Problems => (wrong ? [problem] : [])

const emptyMessage = (message: ChatMessage, at: string): Problems => {
  const { content } = message
  if (Array.isArray(content) && content.length === 0) return [`${at}.content: This list may not be empty.`]
  const says = message.role !== 'assistant' || (content ?? message.refusal ?? undefined) !== undefined
  return when(
    !says && (message.tool_calls ?? []).length === 0,
    `${at}: an assistant message needs content or tool_calls`,
  )
}

// Each call needs an answer among the tool messages right after it, and each tool message needs a call.
const unpairedCalls = (messages: ReadonlyArray<ChatMessage>): Problems => {
  const problems: Array<string> = []
  let calling = 0
  let called: ReadonlySet<string> = new Set()
  let open = new Set<string>()
  const settle = (): void => {
    if (open.size > 0)
      problems.push(
        `messages[${calling}].tool_calls: ${open.size} not answered by the tool messages that follow`,
      )
  }
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!called.has(message.tool_call_id)) {
        problems.push(`messages[${index}].tool_call_id: no such call in the preceding assistant message`)
      }
      open.delete(message.tool_call_id)
      continue
    }
    settle()
    calling = index
    called = new Set(message.role === 'assistant' ? (message.tool_calls ?? []).map(({ id }) => id) : [])
    open = new Set(called)
  }
  settle()
  return problems
}

const inMessages = (messages: ReadonlyArray<ChatMessage>): Problems => [
  ...when(messages.length === 0, 'This list may not be empty.'),
  ...messages.flatMap((message, index) => emptyMessage(message, `messages[${index}]`)),
  ...unpairedCalls(messages),
]

const inTools = ({ tools }: ChatRequest): Problems => [
  ...when(tools?.length === 0, 'This list may not be empty; leave it out.'),
  ...(tools ?? []).flatMap(({ function: { name } }, index) =>
    when(!NAME.test(name), `tools[${index}].function.name: ${NAMED}`),
  ),
]

const inToolChoice = ({ tool_choice: choice, tools }: ChatRequest): Problems => {
  if (choice === undefined) return []
  if (tools === undefined) return ['tool_choice: allowed only with tools']
  if (typeof choice !== 'object' || tools.some(({ function: tool }) => tool.name === choice.function.name))
    return []
  return [`Function ${choice.function.name} is not among the tools.`]
}

const inFormat = (
  { response_format: format }: ChatRequest,
  messages: ReadonlyArray<ChatMessage>,
): Problems => {
  switch (format?.type) {
    case 'json_schema':
      return when(!NAME.test(format.json_schema.name), `response_format.json_schema.name: ${NAMED}`)
    case 'json_object':
      return when(
        !messages.some((message) => /json/iu.test(messageText(message))),
        'response_format: for json_object, the word "json" must occur in the messages',
      )
    default:
      return []
  }
}

/**
 * What is wrong with a chat request each field of which is right by itself: what OpenAI refuses because the parts don't go
 * together, or are too many. A pipeline that passes its tests against this server should not fail on the platform.
 *
 * @returns a refusal with all that is wrong, by field
 */
export const wrongRequest = (
  request: ChatRequest,
  messages: ReadonlyArray<ChatMessage>,
): Refusal | undefined => {
  const { logprobs, n = 1, parallel_tool_calls, stop, stream, stream_options, top_logprobs } = request
  const problems: Readonly<Record<string, Problems>> = {
    messages: inMessages(messages),
    tools: inTools(request),
    tool_choice: inToolChoice(request),
    parallel_tool_calls: when(
      parallel_tool_calls !== undefined && request.tools === undefined,
      'parallel_tool_calls: allowed only with tools',
    ),
    response_format: inFormat(request, messages),
    n: when(n > MOST_CHOICES, `n: expected at most ${MOST_CHOICES}, found ${n}`),
    stop: when(
      Array.isArray(stop) && stop.length > MOST_STOPS,
      `stop: expected at most ${MOST_STOPS} entries, found ${stop?.length}`,
    ),
    top_logprobs: when(
      top_logprobs !== undefined && logprobs !== true,
      'top_logprobs: allowed only with logprobs: true',
    ),
    stream_options: when(
      stream_options !== undefined && stream !== true,
      'stream_options: allowed only with stream: true',
    ),
  }
  const errors = Object.entries(problems).filter(([, found]) => found.length > 0)
  return errors.length === 0 ? undefined : invalid(Object.fromEntries(errors))
}

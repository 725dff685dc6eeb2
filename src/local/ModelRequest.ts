/** A piece of a message's content: text parts are read, the others are counted. */
export interface ModelPart {
  readonly type?: string | undefined
  readonly text?: unknown
}

/** A message as far as the built-in model reads it. */
export interface ModelMessage {
  readonly role: string
  readonly content?: string | null | ReadonlyArray<ModelPart> | undefined
  readonly name?: string | undefined
  readonly tool_call_id?: string | undefined
  readonly tool_calls?:
    | ReadonlyArray<{
        readonly id: string
        readonly function: { readonly name: string; readonly arguments: string }
      }>
    | null
    | undefined
}

/** A function that the built-in model may call. */
export interface ModelTool {
  readonly name: string
  readonly description?: string | undefined
  readonly parameters?: unknown
}

/** Whether and what to call: a name means exactly that function. */
export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string }

/** The answer's form: free text, any JSON object, or JSON that satisfies a schema. */
export type ResponseForm =
  | { readonly _tag: 'Text' }
  | { readonly _tag: 'JsonObject' }
  | { readonly _tag: 'JsonSchema'; readonly schema: unknown }

/** One chat request, reduced to what the built-in model obeys. */
export interface ModelRequest {
  readonly messages: ReadonlyArray<ModelMessage>
  readonly n: number
  readonly seed: number
  readonly maxTokens: number | undefined
  readonly stop: ReadonlyArray<string>
  readonly tools: ReadonlyArray<ModelTool>
  readonly toolChoice: ToolChoice
  readonly parallelToolCalls: boolean
  readonly form: ResponseForm
  /** Think aloud before the answer (`reasoning_effort`, `thinking`). */
  readonly reasoning: boolean
}

/** The text of a message's content: the text parts of a list, joined by a line break. */
export const textOf = (content: ModelMessage['content']): string =>
  typeof content === 'string'
    ? content
    : (content ?? [])
        .map((part) => (typeof part.text === 'string' ? part.text : ''))
        .filter((text) => text !== '')
        .join('\n')

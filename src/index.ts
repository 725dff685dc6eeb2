export { ChatChunk } from './codecs/ChatChunk.js'
export {
  type AssistantChatMessage,
  AssistantMessage,
  ChatMessage,
  type DeveloperMessage,
  type SystemMessage,
  type ToolMessage,
  type UserMessage,
} from './codecs/ChatMessage.js'
export { ChatParams } from './codecs/ChatParams.js'
export { ChatRequest } from './codecs/ChatRequest.js'
export { ChatResponse } from './codecs/ChatResponse.js'
export { ContentPart, type MessageContent } from './codecs/ContentPart.js'
export type { DecodeFailure } from './codecs/DecodeFailure.js'
export { decode } from './codecs/decode.js'
export { Environment } from './codecs/Environment.js'
export { ErrorBody } from './codecs/ErrorBody.js'
export { Fields } from './codecs/Fields.js'
export { IngestResponse } from './codecs/IngestResponse.js'
export { Logprobs } from './codecs/Logprobs.js'
export { assistant, messageText, system, toolResult, user } from './codecs/messages.js'
export { PromptSummary } from './codecs/PromptList.js'
export { PromptReference } from './codecs/PromptReference.js'
export { PromptVersion } from './codecs/PromptVersion.js'
export type { Reply, ReplyEvent, ReplyMeta } from './codecs/Reply.js'
export { RequestBreakdown } from './codecs/RequestBreakdown.js'
export { RespanAttributes, TraceAttributes } from './codecs/RespanAttributes.js'
export { IngestRequest, LogType, SpanPayload } from './codecs/SpanPayload.js'
export { ResponseFormat, Tool, ToolChoice } from './codecs/Tool.js'
export { ToolCall } from './codecs/ToolCall.js'
export { Usage } from './codecs/Usage.js'
export {
  Aborted,
  type CallDetails,
  GatewayError,
  HttpError,
  InvalidInput,
  InvalidResponse,
  isRespanError,
  MissingApiKey,
  matchError,
  NetworkError,
  RateLimited,
  type RespanError,
  StreamInterrupted,
  Timeout,
  type TimeoutPhase,
} from './errors.js'
export type { Connection, RetryPolicy } from './http/Connection.js'
export { isRetryable } from './http/isRetryable.js'
export { type Attempt, attempt } from './operators/attempt.js'
export {
  type BuildPrompt,
  type BuildPromptOptions,
  buildPrompt,
  type Variables,
} from './operators/buildPrompt.js'
export type { ChoiceOption } from './operators/ChoiceOption.js'
export { type ComponentOptions, component } from './operators/component.js'
export type { Each } from './operators/Each.js'
export type { Component, Flatten, Flattening } from './operators/Flattening.js'
export type {
  ByModel,
  ByPrompt,
  ByTypedPrompt,
  GenerateInput,
  PerItem,
  PromptInput,
  PromptSettings,
  Streaming,
} from './operators/GenerateOptions.js'
export { type ByOpenaiModel, type OpenaiGenerate, openaiGenerate } from './operators/openaiGenerate.js'
export { type RespanGenerate, respanGenerate } from './operators/respanGenerate.js'
export { respanTrace } from './operators/respanTrace.js'
export { snapshots } from './operators/snapshots.js'
export type { TraceOptions, TraceStart } from './operators/TraceOptions.js'
export { tokens } from './operators/tokens.js'
export { type TracedOptions, traced } from './operators/traced.js'
export { type TraceEach, type TraceEachOptions, traceEach } from './operators/traceEach.js'
export { wholeReply } from './operators/wholeReply.js'
export { type FallbackOptions, withFallback } from './operators/withFallback.js'
export type { BufferPolicy, DeliveryWarning } from './sinks/BufferPolicy.js'
export { bufferedSink } from './sinks/bufferedSink.js'
export { type ConsoleOptions, consoleSink } from './sinks/consoleSink.js'
export { defaultSink } from './sinks/defaultSink.js'
export { memorySink } from './sinks/memorySink.js'
export { noopSink } from './sinks/noopSink.js'
export { type Redact, redacted } from './sinks/redacted.js'
export { type RenderOptions, renderTrace } from './sinks/renderTrace.js'
export { respanTransport } from './sinks/respanTransport.js'
export type { Spool, SpoolHost, SpoolPlace, SpoolRecord, SpoolStore, SpoolStrength } from './sinks/Spool.js'
export { sinkMonoid } from './sinks/sinkMonoid.js'
export type { Receipt, Sending, Transport } from './sinks/Transport.js'
export type { Bytes } from './sources/Bytes.js'
export { type FromChatOptions, fromChat } from './sources/fromChat.js'
export { fromLines } from './sources/fromLines.js'
export { fromNdjson, type NdjsonFailure } from './sources/fromNdjson.js'
export { fromPrompts, type ListedPrompt } from './sources/fromPrompts.js'
export { fromPromptVersion, type PromptVersionOptions } from './sources/fromPromptVersion.js'
export type { Gateway, GatewayEvent } from './sources/Gateway.js'
export { openaiGateway } from './sources/openaiGateway.js'
export { type RespanConnection, respanGateway } from './sources/respanGateway.js'
export type { LineOptions } from './sources/splitLines.js'
export { checkPromptVariables } from './templates/checkPromptVariables.js'
export { type CurrentSpan, currentSpan, withSpan } from './tracing/currentSpan.js'
export { foldSpans } from './tracing/foldSpans.js'
export type { Ids } from './tracing/Ids.js'
export type { FlushReport, Sink, SinkError, SinkStats } from './tracing/Sink.js'
export type {
  Generation,
  Span,
  SpanEnded,
  SpanError,
  SpanEvent,
  SpanFirstOutput,
  SpanStarted,
  SpanStatus,
  SpanTotals,
  SpanType,
  UsageSource,
} from './tracing/SpanEvent.js'
export { version } from './version.js'

import type { HttpBindings } from '@hono/node-server'
import type { AnswerCache } from './answerCache.js'
import type { FaultList } from './faultList.js'
import type { PromptStore } from './promptStore.js'
import type { OpenRequest, RequestLog } from './requestLog.js'
import type { TraceStore } from './traceStore.js'
import type { Upstream } from './Upstream.js'

/** What the routes of one local gateway share. */
export interface LocalState {
  readonly apiKey: string | undefined
  readonly cache: AnswerCache
  /** Waits before each chunk of a built-in answer, ms. */
  readonly chunkDelay: number
  readonly faults: FaultList
  readonly log: RequestLog
  readonly maxBodyBytes: number
  /** Origins of web pages that may call the gateway. */
  readonly origins: ReadonlyArray<string>
  readonly prompts: PromptStore
  readonly traces: TraceStore
  readonly upstream: Upstream | undefined
}

/** What Hono hands to each route. */
export interface LocalEnv {
  readonly Bindings: HttpBindings
  readonly Variables: {
    /** The parsed body; `undefined` when there was none, or none that is JSON. */
    body: unknown
    record: OpenRequest
    /** Set by a route whose body ends the record, once it is sent. */
    endsLater: boolean
  }
}

import {
  asyncScheduler,
  concat,
  dematerialize,
  from,
  merge,
  mergeMap,
  NEVER,
  Observable,
  type ObservableNotification,
  timer,
} from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { askedParams } from '../codecs/askedParams.js'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import { messageText } from '../codecs/messages.js'
import { refuse } from '../codecs/refuse.js'
import { refuseUnknown } from '../codecs/refuseUnknown.js'
import type { ReportedUsage } from '../codecs/Usage.js'
import { NetworkError } from '../errors.js'
import { addGatewayEvent } from '../sources/addGatewayEvent.js'
import type { Gateway, GatewayEvent } from '../sources/Gateway.js'
import { type ReplyBuilder, replyBuilder } from '../sources/ReplyBuilder.js'
import { replyOf } from '../sources/replyOf.js'
import { picked } from '../util/picked.js'
import { checkMarbleValue } from './checkMarbleValue.js'
import { type MarbleScript, type Moment, momentsOf } from './MarbleScript.js'
import { type ChunkHead, chunkEvent, type MarbleValue, marbleEvent } from './MarbleValue.js'
import { responseOf } from './responseOf.js'

type Script = string | MarbleScript

/**
 * Marbles, alone or with values and an error of their own: one script for all requests, a list of one for each request in
 * turn (the last answers all that follow), or a function of the request.
 */
export type MarbleScripts = Script | ReadonlyArray<Script> | ((request: ChatRequest, index: number) => Script)

/** What kind of gateway answers, and how it fails. */
export interface MarbleOptions {
  /** Default `marbles`. */
  readonly name?: string
  /** Default `respan`. */
  readonly kind?: Gateway['kind']
  /** What the finish chunk at `|` says. `null` sends neither that nor a usage chunk: a truncated stream. Default `stop`. */
  readonly finishReason?: string | null
  /** In the headers, when given. */
  readonly requestId?: string
  /** In the headers, when given. */
  readonly logId?: string
}

/** When a request was subscribed and unsubscribed, ms, as `expectSubscriptions` takes it; `Infinity` while it runs. */
export interface RequestSubscription {
  subscribedFrame: number
  unsubscribedFrame: number
}

/** A gateway that answers with marbles, and keeps what it was asked. */
export interface MarbleGateway extends Gateway {
  /** Every request, in order of subscription. */
  readonly requests: ReadonlyArray<ChatRequest>
  /** One for each request; `expectSubscriptions(gateway.subscriptions).toBe('^--!')`. */
  readonly subscriptions: Array<RequestSubscription>
}

const OPTIONS: Readonly<Record<keyof MarbleOptions, true>> = {
  name: true,
  kind: true,
  finishReason: true,
  requestId: true,
  logId: true,
}

const SCRIPT: Readonly<Record<keyof MarbleScript, true>> = { marbles: true, values: true, error: true }

const KINDS: Readonly<Record<Gateway['kind'], true>> = { respan: true, openai: true }

type Notification = ObservableNotification<GatewayEvent>

const next = (value: GatewayEvent): Notification => ({ kind: 'N', value })

const words = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length

const countedUsage = (request: ChatRequest, builder: ReplyBuilder): ReportedUsage => {
  const prompt_tokens = words((request.messages ?? []).map(messageText).join('\n'))
  const completion_tokens = words(replyOf(builder, true).replies.join('\n'))
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

/** The chunks that end a reply which its marbles left open. */
const closingEvents = (
  request: ChatRequest,
  builder: ReplyBuilder,
  head: ChunkHead,
  finishReason: string | null,
): ReadonlyArray<GatewayEvent> => {
  if (finishReason === null || builder.finished > 0) return []
  const choices = Math.max(builder.expected, ...Array.from(builder.choices.keys(), (index) => index + 1))
  const finish = Array.from({ length: choices }, (_, index) =>
    chunkEvent(head, [{ index, delta: {}, finish_reason: finishReason }]),
  )
  return builder.usage === undefined
    ? [...finish, chunkEvent(head, [], countedUsage(request, builder))]
    : finish
}

const headersOf = (options: MarbleOptions): GatewayEvent => ({
  _tag: 'Headers',
  status: 200,
  ...picked(options, ['requestId', 'logId']),
})

/** What one request is answered with, and when. */
const answerTo = (
  request: ChatRequest,
  index: number,
  moments: ReadonlyArray<Moment<MarbleValue>>,
  { finishReason = 'stop' }: MarbleOptions,
): ReadonlyArray<Moment<GatewayEvent>> => {
  const head = { id: `marble-${index + 1}`, model: request.model ?? 'marble' }
  const builder = replyBuilder(askedParams(request).n ?? 1, Number.POSITIVE_INFINITY)
  const add = (event: GatewayEvent): void => addGatewayEvent(builder, event, () => undefined)
  let answered = false
  const closing = (): ReadonlyArray<GatewayEvent> => {
    if (answered) return []
    const events = closingEvents(request, builder, head, finishReason)
    if (request.stream === true) return events
    events.forEach(add)
    return [{ _tag: 'Response', response: responseOf(builder, head.id) }]
  }
  const play = (notification: ObservableNotification<MarbleValue>): ReadonlyArray<Notification> => {
    switch (notification.kind) {
      case 'N': {
        const event = marbleEvent(notification.value, head)
        add(event)
        answered ||= event._tag === 'Response'
        return event._tag === 'Chunk' && request.stream !== true ? [] : [next(event)]
      }
      case 'E': {
        const { error = new NetworkError('The marbles end with an error.') } = notification
        return [{ kind: 'E', error }]
      }
      case 'C':
        return [...closing().map(next), notification]
    }
  }
  return moments.map(({ at, notifications }) => ({ at, notifications: notifications.flatMap(play) }))
}

const openingEvents = (
  moments: ReadonlyArray<Moment<MarbleValue>>,
  options: MarbleOptions,
): ReadonlyArray<GatewayEvent> => {
  const attempt: GatewayEvent = { _tag: 'Attempt', attempt: 1 }
  // When an error comes first, there was no answer to have headers.
  return moments[0]?.notifications[0]?.kind === 'E' ? [attempt] : [attempt, headersOf(options)]
}

const isList = (scripts: Script | ReadonlyArray<Script>): scripts is ReadonlyArray<Script> =>
  Array.isArray(scripts)

const listOf = (scripts: Script | ReadonlyArray<Script>): ReadonlyArray<Script> => {
  // Spread, so that a hole in the list is refused like any wrong script: its request would never be answered.
  const list = isList(scripts) ? [...scripts] : [scripts]
  return list.length === 0 ? refuse('marbleGateway', 'marbles', 'at least one script', scripts) : list
}

/** Chooses what answers a request. Marbles known by now are read at once, so that wrong ones fail where they are written. */
const readerOf = (
  scripts: MarbleScripts,
  read: (script: Script) => ReadonlyArray<Moment<MarbleValue>>,
): ((request: ChatRequest, index: number) => ReadonlyArray<Moment<MarbleValue>>) => {
  if (typeof scripts === 'function') return (request, index) => read(scripts(request, index))
  const list = listOf(scripts).map(read)
  return (_, index) => list[Math.min(index, list.length - 1)] ?? []
}

/** A log that deep equality can't tell from RxJS's own, whose class isn't exported. */
const subscriptionLog = (): RequestSubscription =>
  Object.assign(TestScheduler.parseMarblesAsSubscriptions(null), { subscribedFrame: asyncScheduler.now() })

/**
 * A gateway that answers with marbles: in virtual time inside `TestScheduler.run`, in real ms elsewhere.
 *
 * ```
 * marbleGateway('--a-b-|')
 * streamed           O-a-b-(FU|)     O = Attempt and Headers 200, F = finish chunk, U = usage chunk
 * not streamed       O-----(R|)      R = Response with the text ab
 * marbleGateway('--#')
 * either             A-#             A = Attempt; a NetworkError, before any headers
 * ```
 *
 * Each value is a piece of the reply, the marble's own character unless `values` says otherwise: a string is
 * text; reasoning, refusals, tool calls, finish reasons and usage have short forms; chunks, responses and
 * events go out as they are. At `|` a finish chunk (`stop`) and a usage chunk (words counted as tokens)
 * follow, unless the values brought a finish reason; usage alone is left out when they brought usage. When the
 * request doesn't stream, the pieces come as one response at `|`. Without `|` the reply never ends.
 *
 * Each subscription of `chat()` plays its marbles from the beginning, and is recorded when it starts.
 *
 * @param scripts - marbles (run mode syntax, 1 ms per character); a list answers one request each, its last
 *   entry all that follow; a function chooses by the request
 * @param values - what the characters stand for, unless a script's own values say otherwise
 * @param error - what `#` emits; default: a `NetworkError`
 * @throws InvalidInput for marbles that can't be read, and for an unknown option
 *
 * @example
 * testScheduler.run(({ cold, expectObservable }) => {
 *   const gateway = marbleGateway('--a-b-|')
 *   const text$ = cold('q|').pipe(respanGenerate({ model: 'm', stream: true, gateway }), tokens())
 *   expectObservable(text$).toBe('--a-b-|')
 * })
 */
export const marbleGateway = (
  scripts: MarbleScripts,
  values: Readonly<Record<string, MarbleValue>> = {},
  error?: unknown,
  options: MarbleOptions = {},
): MarbleGateway => {
  refuseUnknown('marbleGateway', options, OPTIONS)
  const { name = 'marbles', kind = 'respan' } = options
  if (!Object.hasOwn(KINDS, kind)) refuse('marbleGateway', 'kind', Object.keys(KINDS).join(' | '), kind)
  const requests: Array<ChatRequest> = []
  const subscriptions: Array<RequestSubscription> = []
  const momentsFor = readerOf(scripts, (script) => {
    const own = typeof script === 'string' ? { marbles: script } : script
    if (typeof own?.marbles !== 'string')
      refuse('marbleGateway', 'marbles', 'marbles, or a script with marbles', script)
    refuseUnknown('marbleGateway', own, SCRIPT)
    const all = { ...values, ...own.values }
    for (const [marble, value] of Object.entries(all)) checkMarbleValue(marble, value)
    return momentsOf({ error, ...own, values: all })
  })
  return {
    name,
    kind,
    requests,
    subscriptions,
    chat: (request) =>
      new Observable((subscriber) => {
        const index = requests.push(request) - 1
        const log = subscriptionLog()
        subscriptions.push(log)
        subscriber.add(() => {
          log.unsubscribedFrame = asyncScheduler.now()
        })
        const moments = momentsFor(request, index)
        const answer = answerTo(request, index, moments, options).map(({ at, notifications }) =>
          timer(at).pipe(mergeMap(() => notifications)),
        )
        return concat(
          from(openingEvents(moments, options)),
          merge(NEVER, ...answer).pipe(dematerialize()),
        ).subscribe(subscriber)
      }),
  }
}

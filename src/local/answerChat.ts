import { randomBytes } from 'node:crypto'
import type { Either } from 'fp-ts/lib/Either.js'
import { isRight, left, map, right } from '#fp/Either'
import type { ChatRequest } from '../codecs/ChatRequest.js'
import type { AnswerCache } from './answerCache.js'
import { builtInModel } from './builtInModel.js'
import { candidateModels } from './candidateModels.js'
import type { ChatAnswer } from './chatBodies.js'
import type { Fault } from './Fault.js'
import { faultRefusal } from './faultRefusal.js'
import type { LocalState } from './LocalState.js'
import { answeringModel, unknownModel } from './models.js'
import { invalid, type Refusal } from './Refusal.js'
import type { ResolvedRequest } from './resolvePrompt.js'
import { toModelRequest } from './toModelRequest.js'
import { askUpstream } from './Upstream.js'
import { wrongRequest } from './wrongRequest.js'

/** How a chat request is answered: by the built-in model or with an upstream's response, and with which fault. */
export type ChatOutcome =
  | { readonly _tag: 'BuiltIn'; readonly chat: ChatAnswer; readonly fault: Fault }
  | { readonly _tag: 'Upstream'; readonly response: Response; readonly model: string; readonly fault: Fault }

/** What answering takes besides the request. */
export interface AnswerContext extends Pick<LocalState, 'cache' | 'faults' | 'upstream'> {
  /** A fault of this request alone, whichever model is asked. */
  readonly ownFault: Fault | undefined
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal
}

const builtIn = (
  resolved: ResolvedRequest,
  model: string,
  cache: AnswerCache,
  startedAt: number,
): ChatAnswer => {
  const { messages, request } = resolved
  const reply = cache(request, messages, () => ({
    model,
    answer: builtInModel(toModelRequest(request, messages)),
  }))
  return {
    ...resolved,
    id: `chatcmpl-${randomBytes(12).toString('base64url')}`,
    created: Math.floor(Date.now() / 1000),
    model: answeringModel(reply.model),
    answer: reply.answer,
    cached: reply.cached,
    latency: (performance.now() - startedAt) / 1000,
  }
}

const answerAs = async (
  model: string,
  resolved: ResolvedRequest,
  { cache, faults, ownFault, signal, upstream }: AnswerContext,
): Promise<Either<Refusal, ChatOutcome>> => {
  const startedAt = performance.now()
  const fault = ownFault ?? faults.take('chat', model) ?? {}
  const refused = (await faultRefusal(fault, signal)) ?? unknownModel(model)
  if (refused !== undefined) return left(refused)
  if (upstream === undefined) {
    return right({ _tag: 'BuiltIn', chat: builtIn(resolved, model, cache, startedAt), fault })
  }
  const asked = await askUpstream(upstream, resolved, model, signal)
  return map((response: Response): ChatOutcome => ({ _tag: 'Upstream', response, model, fault }))(asked)
}

// A group without models refers to one that the platform has stored.
const noModel = ({ load_balance_group: group }: ChatRequest): Refusal =>
  group === undefined
    ? invalid({ model: ['This field is required.'] })
    : invalid({
        load_balance_group: ['load_balance_group.models: the local gateway has no stored groups'],
      })

/**
 * Answers a chat request whose prompt is resolved, with the first of its models that answers; when none does, with the last
 * refusal.
 */
export const answerChat = async (
  resolved: ResolvedRequest,
  context: AnswerContext,
): Promise<Either<Refusal, ChatOutcome>> => {
  const wrong = wrongRequest(resolved.request, resolved.messages)
  if (wrong !== undefined) return left(wrong)
  let last = noModel(resolved.request)
  for (const model of candidateModels(resolved.request, resolved.messages)) {
    const outcome = await answerAs(model, resolved, context)
    if (isRight(outcome)) return outcome
    last = outcome.left
    if (context.signal.aborted) break
  }
  return left(last)
}

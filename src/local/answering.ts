import type { Either } from 'fp-ts/lib/Either.js'
import type { Context } from 'hono'
import { isLeft } from '#fp/Either'
import { fieldsOf } from '../codecs/fieldsOf.js'
import type { FaultTarget } from './faultList.js'
import { faultRefusal } from './faultRefusal.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import type { Refusal } from './Refusal.js'
import { sendJson, sendRefusal } from './send.js'

/** Runs a handler under the fault in force for its kind of request, and sends its refusal, or what it returns as JSON. */
export const answering =
  (state: LocalState, on: FaultTarget, handler: (c: Context<LocalEnv>) => Either<Refusal, unknown>) =>
  async (c: Context<LocalEnv>): Promise<Response> => {
    const { model } = fieldsOf(c.get('body'))
    const fault = state.faults.take(on, model) ?? {}
    const refused = await faultRefusal(fault, c.req.raw.signal)
    if (refused !== undefined) return sendRefusal(refused)
    const body = handler(c)
    return isLeft(body) ? sendRefusal(body.left) : sendJson(c, body.right, fault)
  }

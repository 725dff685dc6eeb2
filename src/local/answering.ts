import type { Context } from 'hono'
import type { FaultTarget } from './faultList.js'
import { faultRefusal } from './faultRefusal.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { sendJson, sendRefusal } from './send.js'

/** Makes the value that a route answers with; a `Response` is sent as it is. */
export type Handler = (c: Context<LocalEnv>) => unknown

/** Runs a handler under the fault in force for its kind of request, and sends its value as JSON. */
export const answering =
  (state: LocalState, on: FaultTarget, handler: Handler) =>
  async (c: Context<LocalEnv>): Promise<Response> => {
    const fault = state.faults.take(on) ?? {}
    const refused = await faultRefusal(fault, c.req.raw.signal)
    if (refused !== undefined) return sendRefusal(refused)
    const body = handler(c)
    return body instanceof Response ? body : sendJson(c, body, fault)
  }

import * as t from 'io-ts'
import { guard } from './wire.js'

/** A field that exists on the platform but is never sent by this library. */
const refused = (reason: string): t.Type<undefined> => guard(reason, t.undefined.is)

const REFRAMED = 'no value (never sent: it would change the SSE framing)'
const INTERNAL = 'no value (never sent: it is internal to the platform)'

/** The fields that no request has, wherever in it they could stand. */
export const neverSent = {
  field_name: refused(REFRAMED),
  delimiter: refused(REFRAMED),
  mock_response: refused(INTERNAL),
  is_log_omitted: refused(INTERNAL),
}

import * as t from 'io-ts'

/**
 * A field that exists on the platform but is never sent by this library. With the `validate` of io-ts's own codec, because
 * any other would leave every request and all attributes to io-ts: see `compile`.
 */
const refused = (reason: string): t.Type<undefined> =>
  new t.Type(reason, t.undefined.is, t.undefined.validate, t.identity)

const REFRAMED = 'no value (never sent: it would change the SSE framing)'
const INTERNAL = 'no value (never sent: it is internal to the platform)'

/** The fields that no request has, wherever in it they could stand. */
export const neverSent = {
  field_name: refused(REFRAMED),
  delimiter: refused(REFRAMED),
  mock_response: refused(INTERNAL),
  is_log_omitted: refused(INTERNAL),
}

import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { CustomerIdentifier, Identifier } from './Identifier.js'
import {
  ApiControls,
  CacheOptions,
  CustomerCredentials,
  CustomerParams,
  EvalParams,
  LoadBalanceGroup,
  RetryParams,
  StringMap,
  WeightedModel,
} from './RespanParams.js'
import { nullable, numberWithin, strings, wire } from './wire.js'

/** A field that exists on the platform, but which this library never sends. */
const refused = (reason: string): t.Type<undefined> =>
  new t.Type<undefined>(
    reason,
    (value): value is undefined => value === undefined,
    (value, context) => (value === undefined ? t.success(value) : t.failure(value, context)),
    t.identity,
  )

const REFRAMED = 'never sent: it reshapes the SSE framing'
const INTERNAL = 'never sent: it is internal to the platform'

const traceAttributes = {
  customer_identifier: CustomerIdentifier,
  customer_email: t.string,
  customer_name: t.string,
  customer_params: CustomerParams,
  thread_identifier: Identifier,
  session_identifier: Identifier,
  group_identifier: Identifier,
  trace_group_identifier: Identifier,
  custom_identifier: Identifier,
  evaluation_identifier: Identifier,
  metadata: Fields,
  properties: Fields,
  environment: t.string,
  note: t.string,
  category: t.string,
  positive_feedback: t.boolean,
  // never sent
  field_name: refused(REFRAMED),
  delimiter: refused(REFRAMED),
  mock_response: refused(INTERNAL),
  is_log_omitted: refused(INTERNAL),
}

/**
 * What a trace can be told about whom and what it belongs to; these go onto its spans.
 *
 * `customer_identifier` is the end user (at most 120 characters), `thread_identifier` the conversation,
 * `custom_identifier` an indexed tag of one's own. The platform turns the values of `metadata` into strings, so keep
 * them primitive; `properties` keep their JSON types. `environment` follows from the API key, whatever is said here.
 *
 * @see https://respan.ai/docs/documentation/resources/reference/span-attributes
 */
export const TraceAttributes = wire(t.partial(traceAttributes), 'TraceAttributes')

/** What a trace can be told about whom and what it belongs to. */
export type TraceAttributes = t.TypeOf<typeof TraceAttributes>

/**
 * The Respan fields of a gateway request: the {@link TraceAttributes}, and what controls routing, credentials, cache,
 * logging, evaluation and integrations. All are optional; names are as on the wire, so the platform's documentation
 * applies as it is. Unknown fields are sent as they are.
 *
 * `cache_ttl` is in seconds. `customer_credentials`, `credential_override`, `customer_api_keys`, the `credentials` of
 * a load-balancing model and `posthog_integration` hold secrets: see `redactSecrets`. The fields from
 * `trace_unique_id` to `trace_name` link the gateway's own log to a trace; what the gateway makes of them is
 * undocumented. `field_name`, `delimiter`, `mock_response` and `is_log_omitted` are refused.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const RespanAttributes = wire(
  t.partial({
    ...traceAttributes,
    // routing and reliability
    fallback_models: strings,
    disable_fallback: t.boolean,
    retry_params: RetryParams,
    load_balance_group: LoadBalanceGroup,
    load_balance_models: t.readonlyArray(WeightedModel, 'list of WeightedModel'),
    loadbalance_models: t.readonlyArray(WeightedModel, 'list of WeightedModel'),
    models: strings,
    exclude_models: strings,
    exclude_providers: strings,
    model_name_map: StringMap,
    // credentials
    customer_credentials: CustomerCredentials,
    credential_override: Fields,
    customer_api_keys: StringMap,
    // cache
    cache_enabled: t.boolean,
    cache_ttl: numberWithin(0),
    cache_options: CacheOptions,
    // logging and response control
    disable_log: t.boolean,
    respan_api_controls: ApiControls,
    request_breakdown: t.boolean,
    log_method: t.string,
    // evaluation and integrations
    variables: Fields,
    eval_params: EvalParams,
    posthog_integration: Fields,
    linkup_params: Fields,
    mem0_params: Fields,
    moda_params: Fields,
    hyperspell_params: Fields,
    // link to a trace
    trace_unique_id: t.string,
    span_unique_id: t.string,
    span_parent_id: nullable(t.string),
    span_name: t.string,
    span_workflow_name: t.string,
    trace_name: t.string,
  }),
  'RespanAttributes',
)

/** The Respan fields of a gateway request. */
export type RespanAttributes = t.TypeOf<typeof RespanAttributes>

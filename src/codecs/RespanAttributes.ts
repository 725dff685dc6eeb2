import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { CustomerIdentifier, Identifier } from './Identifier.js'
import { neverSent } from './neverSent.js'
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
import { listOf, nullable, numberWithin, strings, wire } from './wire.js'

/** The fields by which spans can be found. They have the same names on a span as on the request that it describes. */
export const spanLabels = {
  /** The end user, at most 120 characters. */
  customer_identifier: CustomerIdentifier,
  customer_email: t.string,
  customer_name: t.string,
  /** The end user, with a budget. */
  customer_params: CustomerParams,
  /** The conversation. */
  thread_identifier: Identifier,
  session_identifier: Identifier,
  /** Any group of spans. */
  group_identifier: Identifier,
  /** A group of traces. */
  trace_group_identifier: Identifier,
  /** An indexed tag of your own. */
  custom_identifier: Identifier,
  evaluation_identifier: Identifier,
  /** Your own key-value pairs, to filter by; the platform converts the values to strings. */
  metadata: Fields,
  /** Like `metadata`, but values keep their JSON types. */
  properties: Fields,
  /** The platform derives it from the API key and ignores this value. */
  environment: t.string,
  note: t.string,
  category: t.string,
  /** Thumbs up or down. */
  positive_feedback: t.boolean,
}

const traceAttributes = { ...spanLabels, ...neverSent }

/**
 * Attributes that say whom and what a trace belongs to; they are set on its spans.
 *
 * `customer_identifier` is the end user (at most 120 characters), `thread_identifier` the conversation, and
 * `custom_identifier` an indexed tag of your own. The platform converts the values of `metadata` to strings, so keep
 * them primitive; `properties` keep their JSON types. The platform derives `environment` from the API key and ignores
 * a value given here.
 *
 * @see https://respan.ai/docs/documentation/resources/reference/span-attributes
 */
export const TraceAttributes = wire(t.partial(traceAttributes), 'TraceAttributes')

/** Attributes that say whom and what a trace belongs to. */
export interface TraceAttributes extends t.TypeOf<typeof TraceAttributes> {}

/**
 * The Respan fields of a gateway request: the {@link TraceAttributes}, and the controls for routing, credentials,
 * cache, logging, evaluation and integrations. All are optional and named as on the wire, so the platform's
 * documentation applies. Unknown fields are sent unchanged.
 *
 * `cache_ttl` is in seconds. `customer_credentials`, `credential_override`, `customer_api_keys`, the `credentials` of
 * a load-balancing model and `posthog_integration` hold secrets, which no error and no span repeats. The fields from
 * `trace_unique_id` to `trace_name` link the gateway's own log to a trace; how the gateway uses them is
 * undocumented. `field_name`, `delimiter`, `mock_response` and `is_log_omitted` are refused.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const RespanAttributes = wire(
  t.partial({
    ...traceAttributes,
    // routing and reliability
    /** Tried in order when the model fails with any error. */
    fallback_models: strings,
    /** No fallback for this call. */
    disable_fallback: t.boolean,
    /** Retries made by the gateway itself; `retry_after` is in seconds. */
    retry_params: RetryParams,
    /** The group picks the model; a `model` in the request overrides it. */
    load_balance_group: LoadBalanceGroup,
    /** Deprecated: use `load_balance_group`. */
    load_balance_models: listOf(WeightedModel),
    /** The older name of `load_balance_models`. */
    loadbalance_models: listOf(WeightedModel),
    /** Candidates for the router; beside a `model` they are its fallbacks. */
    models: strings,
    /** Models that the router must not pick. */
    exclude_models: strings,
    /** Providers that the router must not pick. */
    exclude_providers: strings,
    /** Names of Azure deployments. Deprecated. */
    model_name_map: StringMap,
    // credentials
    /** The customer's own provider keys, by provider. Secret. */
    customer_credentials: CustomerCredentials,
    /** Keys for individual models. Secret. */
    credential_override: Fields,
    /** Deprecated: use `customer_credentials`. Secret. */
    customer_api_keys: StringMap,
    // cache
    /** Answers the same conversation from the cache. */
    cache_enabled: t.boolean,
    /** How long an answer is kept, in seconds. Default 30 days. */
    cache_ttl: numberWithin(0),
    /** What the cache key includes, and whether a hit is logged. */
    cache_options: CacheOptions,
    // logging and response control
    /** Logs metrics but no content. */
    disable_log: t.boolean,
    /** `block: false` doesn't wait for the log to be written. */
    respan_api_controls: ApiControls,
    /** Adds a summary to the reply: `breakdown`. */
    request_breakdown: t.boolean,
    log_method: t.string,
    // evaluation and integrations
    /** Variables of a templated message, to be logged. */
    variables: Fields,
    /** Evaluators to run on the reply. */
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
export interface RespanAttributes extends t.TypeOf<typeof RespanAttributes> {}

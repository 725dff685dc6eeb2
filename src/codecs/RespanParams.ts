import * as t from 'io-ts'
import { Fields } from './Fields.js'
import { CustomerIdentifier, Identifier } from './Identifier.js'
import { finite, integerWithin, listOf, numberWithin, oneOf, positive, wire } from './wire.js'

/**
 * Retries that the gateway makes when a provider limits the rate. Defaults: enabled, 3 retries, 0.2 seconds. The
 * platform allows no other keys.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const RetryParams = wire(
  t.intersection([
    t.type({ retry_enabled: t.boolean }),
    t.partial({ num_retries: integerWithin(1), retry_after: positive }),
  ]),
  'RetryParams',
)

/** One model of a load-balancing group. `weight` is relative and may be a fraction; `credentials` is a secret. */
export const WeightedModel = wire(
  t.intersection([t.type({ model: t.string, weight: positive }), t.partial({ credentials: Fields })]),
  'WeightedModel',
)

/** A load-balancing group that picks the model; inline `models` replace the group's stored ones. */
export const LoadBalanceGroup = wire(
  t.intersection([t.type({ group_id: t.string }), t.partial({ models: listOf(WeightedModel) })]),
  'LoadBalanceGroup',
)

/**
 * What the key of the gateway's cache includes (the `customer_identifier`, the model), and whether the log of a hit is
 * omitted. All off by default.
 */
export const CacheOptions = wire(
  t.partial({ cache_by_customer: t.boolean, is_cached_by_model: t.boolean, omit_log: t.boolean }),
  'CacheOptions',
)

/**
 * An end user with a budget. `period_start` and `period_end` are `YYYY-MM-DD`, budgets are in USD, `rate_limit` is in
 * requests per minute; a `markup_percentage` of 20 bills 1.2 times the price.
 *
 * @see https://www.respan.ai/docs/apis/gateway/create-chat-completion
 */
export const CustomerParams = wire(
  t.intersection([
    t.type({ customer_identifier: CustomerIdentifier }),
    t.partial({
      group_identifier: Identifier,
      name: t.string,
      email: t.string,
      period_start: t.string,
      period_end: t.string,
      budget_duration: oneOf('daily', 'weekly', 'monthly', 'yearly'),
      period_budget: numberWithin(0),
      total_budget: numberWithin(0),
      markup_percentage: finite,
      metadata: Fields,
      rate_limit: numberWithin(0),
    }),
  ]),
  'CustomerParams',
)

/**
 * Online evaluation of the answer. `last_n_messages`: how many messages are evaluated, 0 for all, default 1;
 * `sample_percentage` is 0 to 100.
 */
export const EvalParams = wire(
  t.partial({
    evaluators: t.readonlyArray(t.unknown, 'list of evaluators'),
    evaluation_identifier: Identifier,
    last_n_messages: integerWithin(0),
    eval_inputs: Fields,
    sample_percentage: numberWithin(0, 100),
  }),
  'EvalParams',
)

/** Whether the gateway waits for the log to be written (`block`, default true). */
export const ApiControls = wire(t.partial({ block: t.boolean }), 'ApiControls')

/** The customer's own provider keys, by provider id, or as a list of weighted deployments. Secret. */
export const CustomerCredentials = t.union(
  [Fields, t.readonlyArray(Fields, 'list of credentials')],
  'object or list of credentials',
)

/** An object whose values are strings, such as `model_name_map`. */
export const StringMap = wire(t.record(t.string, t.string, 'object of strings'))

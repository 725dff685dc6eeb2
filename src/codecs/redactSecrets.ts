import { fieldOf } from '../util/fieldOf.js'

/**
 * Keys whose values are secret wherever they occur, in lower case with `_` between words. The comparison ignores case
 * and treats `-` as `_`, so that header names match as well. Every key that ends in `api_key`, `apikey`, `api_keys`,
 * `access_token`, `secret`, `secret_key`, `access_key` or `password` is secret, too.
 */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy_authorization',
  'cookie',
  'set_cookie',
  'customer_credentials',
  'credential_override',
  'customer_api_keys',
  'posthog_api_key',
  'credentials',
  'extra_headers',
  'x_data_respan_params',
  'x_data_keywordsai_params',
])

const SECRET_ENDING = /(?:api_?keys?|access_token|secret|secret_key|access_key|password)$/
const REDACTED = '[redacted]'
const MAX_DEPTH = 64

/** Whether the value under a key is secret. */
export const isSecret = (key: string): boolean => {
  const name = key.toLowerCase().replaceAll('-', '_')
  return SECRET_KEYS.has(name) || SECRET_ENDING.test(name)
}

/**
 * Replaces every secret in a value with `'[redacted]'`, at any depth: everything that is logged, traced or put into an
 * error goes through here. Pure; parts without a secret are shared with the given value, and a value without secrets
 * is returned itself. Anything nested more than 64 levels deep or inside a cycle is replaced as a whole.
 *
 * @param value - anything, usually a request
 */
export const redactSecrets = (value: unknown): unknown => redact(value, [])

const redact = (value: unknown, above: ReadonlyArray<object>): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (above.length >= MAX_DEPTH || above.includes(value)) return REDACTED
  const within = [...above, value]
  if (Array.isArray(value)) {
    const items = value.map((item) => redact(item, within))
    return items.every((item, index) => Object.is(item, value[index])) ? value : items
  }
  let changed = false
  const entries = Object.keys(value).map((key): readonly [string, unknown] => {
    const before = fieldOf(value, key)
    const after = before !== undefined && before !== null && isSecret(key) ? REDACTED : redact(before, within)
    changed ||= !Object.is(before, after)
    return [key, after]
  })
  return changed ? Object.fromEntries(entries) : value
}

/** The fields of a request that hold secrets, as JSON writes their names. */
const HOLDS_SECRETS =
  /"(?:customer_credentials|credential_override|customer_api_keys|extra_headers|load_?balance_(?:group|models)|posthog_integration)":/

/** Redacts the secrets of a request that is somewhere within the JSON; JSON without secrets is returned itself. */
export const withoutSecrets = (json: string): string =>
  HOLDS_SECRETS.test(json) ? JSON.stringify(redactSecrets(JSON.parse(json))) : json

/** Fields that stand beside a key and say where it applies: not secret themselves, and errors need these words. */
const BESIDE_KEYS: ReadonlySet<string> = new Set([
  'available_models',
  'exclude_models',
  'api_base',
  'base_url',
  'api_version',
  'region',
])

/** The `user:password` of an address; scrubbing also looks for the password by itself. */
const USER_OF_ADDRESS = /:\/\/([^\s/@]*:[^\s/@]+)@/

const userOf = (address: unknown): ReadonlyArray<string> =>
  typeof address === 'string' ? (USER_OF_ADDRESS.exec(address)?.slice(1) ?? []) : []

/**
 * The secret strings in a value: those that {@link redactSecrets} replaces, except for models and addresses beside keys.
 * Of an address, only its user and password count.
 */
export const secretsIn = (value: unknown): ReadonlyArray<string> => collect(value, false, [])

const collect = (value: unknown, secret: boolean, above: ReadonlyArray<object>): ReadonlyArray<string> => {
  if (typeof value === 'string') return secret ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  if (above.length >= MAX_DEPTH || above.includes(value)) return []
  const within = [...above, value]
  return Object.keys(value).flatMap((key) => {
    const part = fieldOf(value, key)
    const isBeside = secret && BESIDE_KEYS.has(key)
    const inPart = collect(part, isSecret(key) || (secret && !isBeside), within)
    return isBeside ? [...userOf(part), ...inPart] : inPart
  })
}

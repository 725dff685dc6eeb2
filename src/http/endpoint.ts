import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from '#fp/Either'
import type { DecodeFailure } from '../codecs/DecodeFailure.js'
import { describeFound } from '../codecs/describeFound.js'
import { type Environment, readEnvironment } from '../codecs/Environment.js'
import { InvalidInput, MissingApiKey } from '../errors.js'
import { hostOwner, OPENAI_BASE_URL, openaiBaseUrl, RESPAN_BASE_URL, respanBaseUrl } from './baseUrl.js'
import type { Connection } from './Connection.js'
import { ApiKey } from './connectionPolicy.js'

/** Whose protocol a gateway speaks. */
export type Platform = 'respan' | 'openai'

/** Where requests go, and the key that is sent with them. */
interface Endpoint {
  /** Without a trailing slash: append `/chat/completions`. */
  readonly baseUrl: string
  /** `undefined` if none was given and none is required. */
  readonly apiKey: string | undefined
}

interface PlatformRules {
  readonly keyVariable: 'RESPAN_API_KEY' | 'OPENAI_API_KEY'
  readonly baseUrlVariable: 'RESPAN_BASE_URL' | 'OPENAI_BASE_URL'
  readonly defaultBaseUrl: string
  readonly normalise: (url: string) => Either<DecodeFailure, string>
}

/** How the platforms differ. */
export const PLATFORMS: Readonly<Record<Platform, PlatformRules>> = {
  respan: {
    keyVariable: 'RESPAN_API_KEY',
    baseUrlVariable: 'RESPAN_BASE_URL',
    defaultBaseUrl: RESPAN_BASE_URL,
    normalise: respanBaseUrl,
  },
  openai: {
    keyVariable: 'OPENAI_API_KEY',
    baseUrlVariable: 'OPENAI_BASE_URL',
    defaultBaseUrl: OPENAI_BASE_URL,
    normalise: openaiBaseUrl,
  },
}

const KEY_VARIABLES = Object.values(PLATFORMS).map(({ keyVariable }) => keyVariable)

/**
 * Resolves where requests go and with which key: as the connection says, otherwise the environment; the default address
 * is the platform's own. Call it at subscription, since the environment of that moment counts.
 *
 * Only the hosts of Respan and of OpenAI require a key, unless an `authorization` header is given. A key from the
 * environment is never sent to a host of the other platform, whichever gateway uses it.
 *
 * @param platform - whose protocol the gateway speaks
 * @param connection - as the user wrote it
 * @param environment - default: the current one, of which only the variables that are needed are read, since each costs
 *   a system call
 * @returns the endpoint; or `MissingApiKey`, or `InvalidInput` for an environment variable that can't be used and for a
 *   path where there is no page
 */
export const endpoint = (
  platform: Platform,
  connection: Pick<Connection, 'apiKey' | 'baseUrl' | 'headers'>,
  environment: Environment = readEnvironment(variablesOf(platform, connection)),
): Either<MissingApiKey | InvalidInput, Endpoint> => {
  const { keyVariable, baseUrlVariable, defaultBaseUrl, normalise } = PLATFORMS[platform]
  const given = trimmed(connection.baseUrl)
  const baseUrl = normalise(given ?? environment[baseUrlVariable] ?? defaultBaseUrl)
  if (isLeft(baseUrl))
    return left(new InvalidInput(given === undefined ? baseUrlVariable : 'baseUrl', baseUrl.left))
  const owner = hostOwner(baseUrl.right)
  const variable = owner === undefined ? keyVariable : PLATFORMS[owner].keyVariable
  const apiKey = trimmed(connection.apiKey) ?? environment[variable]
  if (apiKey === undefined && owner !== undefined && !hasAuthorization(connection.headers))
    return left(new MissingApiKey(variable))
  if (apiKey !== undefined && !ApiKey.is(apiKey)) {
    const found = `${describeFound(apiKey)} with other characters`
    return left(new InvalidInput(variable, { path: '', expected: ApiKey.name, found }))
  }
  return right({ baseUrl: baseUrl.right, apiKey })
}

/** The environment variables for what a connection does not say. */
const variablesOf = (
  platform: Platform,
  { apiKey, baseUrl }: Pick<Connection, 'apiKey' | 'baseUrl'>,
): ReadonlyArray<keyof Environment> => [
  ...(trimmed(apiKey) === undefined ? KEY_VARIABLES : []),
  ...(trimmed(baseUrl) === undefined ? [PLATFORMS[platform].baseUrlVariable] : []),
]

const trimmed = (text: string | undefined): string | undefined => {
  const kept = text?.trim()
  return kept === '' ? undefined : kept
}

const hasAuthorization = (headers: Connection['headers'] = {}): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')

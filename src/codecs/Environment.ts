import * as t from 'io-ts'
import { keysOf } from '../util/keysOf.js'
import type { Mutable } from '../util/Mutable.js'
import { tried } from '../util/tried.js'
import { wire } from './wire.js'

/**
 * The environment variables that this library reads, all optional strings; `consoleSink` also reads `NO_COLOR`. The
 * keys and base URLs have the same names as in the SDKs of the platform and of OpenAI; the last two say whether inputs
 * and outputs go into traces.
 *
 * @see https://respan.ai/docs
 */
export const Environment = wire(
  t.partial({
    RESPAN_API_KEY: t.string,
    RESPAN_BASE_URL: t.string,
    OPENAI_API_KEY: t.string,
    OPENAI_BASE_URL: t.string,
    RESPAN_TRACE_CONTENT: t.string,
    HAYSTACK_CONTENT_TRACING_ENABLED: t.string,
  }),
  'Environment',
)

/** The environment variables that this library reads. */
export type Environment = t.TypeOf<typeof Environment>

const ALL_VARIABLES: ReadonlyArray<keyof Environment> = keysOf(Environment.type.props)

const CONTENT_VARIABLES = [
  'RESPAN_TRACE_CONTENT',
  'HAYSTACK_CONTENT_TRACING_ENABLED',
] as const satisfies ReadonlyArray<keyof Environment>

/**
 * Reads the environment as it is now: nothing is read at import, and nothing is cached. White space around a value is
 * trimmed, and a blank value counts as unset. Where there is no environment (browsers), or where reading it is not
 * permitted (Deno), everything is unset.
 *
 * @param names - the variables to read, each of which costs a system call; default: all of them
 */
export const readEnvironment = (names: ReadonlyArray<keyof Environment> = ALL_VARIABLES): Environment => {
  const environment: Mutable<Environment> = {}
  for (const name of names) {
    const value = readVariable(name)
    if (value !== '') environment[name] = value
  }
  return environment
}

const readVariable = (name: string): string => {
  const value: unknown = tried(() => globalThis.process?.env?.[name])
  return typeof value === 'string' ? value.trim() : ''
}

const ON: ReadonlySet<string> = new Set(['true', '1', 'yes', 'on'])

/**
 * Whether inputs and outputs go into traces. They do, unless `RESPAN_TRACE_CONTENT` or
 * `HAYSTACK_CONTENT_TRACING_ENABLED` is set to anything but `true`, `1`, `yes` or `on`: a misspelt value withholds them.
 *
 * @param environment - default: the current one
 */
export const contentTracingEnabled = (environment = readEnvironment(CONTENT_VARIABLES)): boolean =>
  CONTENT_VARIABLES.every((name) => isOn(environment[name]))

const isOn = (value: string | undefined): boolean => value === undefined || ON.has(value.toLowerCase())

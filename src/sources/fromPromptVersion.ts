import * as t from 'io-ts'
import { concatMap, type Observable } from 'rxjs'
import { checked } from '../codecs/checked.js'
import { closed } from '../codecs/closed.js'
import { describeFound } from '../codecs/describeFound.js'
import { PromptSummary } from '../codecs/PromptList.js'
import { PromptVersionNumber } from '../codecs/PromptReference.js'
import { PromptVersion } from '../codecs/PromptVersion.js'
import { refuse } from '../codecs/refuse.js'
import { InvalidResponse } from '../errors.js'
import type { Connection } from '../http/Connection.js'
import { connectionOptions } from '../http/connectionPolicy.js'
import { pathSegment } from '../http/pathSegment.js'
import { askRespan } from './askRespan.js'

/** The connection, and which version of the prompt to load. */
export interface PromptVersionOptions extends Connection {
  /** A number from 1, or `latest` for the newest draft. Default: the deployed version, which requests use. */
  readonly version?: number | 'latest'
}

const SUBJECT = 'fromPromptVersion'

const Options = closed(
  t.partial({ ...connectionOptions, version: PromptVersionNumber }, 'PromptVersionOptions'),
)

/**
 * Loads a version of a prompt stored on the platform: its template messages, the defaults of its variables, its model
 * and its parameters.
 *
 * ```
 * fromPromptVersion('greeting')  --(v|)
 * ```
 *
 * Without a number it makes two requests: one to find out which version it is, and one for the version.
 *
 * Errors by tag: those of `fromPrompts`; `HttpError` 404 for an unknown prompt or version, `InvalidResponse` if no version
 * is deployed. Thrown at once: `InvalidInput` for wrong options.
 *
 * @param promptId - as for `respanGenerate`
 * @param options - `version`, and the connection as for `respanGateway`
 * @returns a cold Observable that emits the version, then completes
 *
 * @example
 * fromPromptVersion('greeting').pipe(map(checkPromptVariables(Variables)))
 *
 * @see https://www.respan.ai/docs/apis/prompts/
 */
export const fromPromptVersion = (
  promptId: string,
  options: PromptVersionOptions = {},
): Observable<PromptVersion> => {
  checked(SUBJECT, Options, options)
  const { version, ...connection } = options
  const id = typeof promptId === 'string' ? pathSegment(promptId) : undefined
  if (id === undefined) refuse(SUBJECT, 'promptId', 'the id of a stored prompt', promptId)
  const ask = askRespan(SUBJECT, connection)
  const prompt = `/prompts/${id}`
  const load = (number: number): Observable<PromptVersion> =>
    ask({ path: `${prompt}/versions/${number}/`, codec: PromptVersion })
  if (typeof version === 'number') return load(version)
  const which = version === 'latest' ? 'current_version' : 'live_version'
  return ask({ path: `${prompt}/`, codec: PromptSummary }).pipe(
    concatMap((summary) => {
      const number = summary[which]?.version
      if (number == null) throw noVersion(promptId, which, summary[which])
      return load(number)
    }),
  )
}

const noVersion = (promptId: string, path: string, value: unknown): InvalidResponse =>
  new InvalidResponse(`Prompt ${promptId}`, {
    path,
    expected: path === 'live_version' ? 'a deployed version' : 'a version',
    found: describeFound(value),
  })

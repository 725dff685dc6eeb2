import type * as t from 'io-ts'
import { concatMap, EMPTY, expand, type Observable } from 'rxjs'
import { Fields } from '../codecs/Fields.js'
import { PromptList, type PromptSummary } from '../codecs/PromptList.js'
import type { Connection } from '../http/Connection.js'
import { askRespan } from './askRespan.js'

/** Prompts per request: the most that the platform allows. */
const PAGE_SIZE = 100

const asPage = (answer: unknown): unknown => {
  if (Array.isArray(answer)) return { results: answer }
  if (!Fields.is(answer) || answer.results !== undefined) return answer
  const { data, prompts } = answer
  return { ...answer, results: data ?? prompts }
}

/** `PromptList`, which also takes older answers: a bare list, or one under another name. */
const Page: t.Decoder<unknown, PromptList> = {
  name: PromptList.name,
  validate: (answer, context) => PromptList.validate(asPage(answer), context),
  decode: (answer) => PromptList.decode(asPage(answer)),
}

/** A managed prompt with its id as `fromPromptVersion` and `respanGenerate` take it: text, even if a number was sent. */
export interface ListedPrompt extends PromptSummary {
  readonly id: string
}

const withTextId = (prompt: PromptSummary): ListedPrompt => ({ ...prompt, id: String(prompt.id) })

/**
 * Emits the prompts stored on the platform, with the numbers of their newest and their deployed versions.
 *
 * ```
 * requests     1-2------
 * fromPrompts  --(abc)--(de|)
 * ```
 *
 * Requests the first page at subscription, and each next page as soon as the prompts of the one before are emitted: after
 * `take` has its prompts, no more pages are requested.
 *
 * Errors by tag: `MissingApiKey`, and `InvalidInput` for a wrong environment, before any request; `HttpError`,
 * `RateLimited`, `NetworkError`, `StreamInterrupted`, `Timeout`, `InvalidResponse`, `GatewayError`, `Aborted`. Thrown at
 * once: `InvalidInput` for a wrong connection.
 *
 * @param connection - as for `respanGateway`
 * @returns a cold Observable that emits every prompt, then completes
 *
 * @see https://www.respan.ai/docs/apis/prompts/list-prompts
 */
export const fromPrompts = (connection: Connection = {}): Observable<ListedPrompt> => {
  const ask = askRespan('fromPrompts', connection)
  // By number, never by the URL in `next`: the key must not go to an address that an answer names.
  const page = (number: number): Observable<PromptList> => {
    const path = `/prompts/list/?page=${number}&page_size=${PAGE_SIZE}`
    return ask({ path, body: {}, codec: Page })
  }
  return page(1).pipe(
    expand(({ results, next }, index) => (next == null || results.length === 0 ? EMPTY : page(index + 2))),
    concatMap(({ results }) => results.map(withTextId)),
  )
}

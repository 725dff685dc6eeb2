import * as t from 'io-ts'
import { Identifier } from './Identifier.js'
import { finite, listOf, nullable, wire } from './wire.js'

const VersionSummary = wire(
  t.partial({ version: nullable(finite), model: nullable(t.string), updated_at: nullable(t.string) }),
  'PromptVersionSummary',
)

/**
 * A managed prompt in a list: `current_version` is the newest, `live_version` the deployed one, null when none is.
 *
 * @see https://www.respan.ai/docs/apis/prompts/list-prompts
 */
export const PromptSummary = wire(
  t.intersection([
    t.type({ id: Identifier }),
    t.partial({
      name: nullable(t.string),
      description: nullable(t.string),
      prompt_slug: nullable(t.string),
      tags: nullable(t.readonlyArray(t.unknown, 'list of tags')),
      current_version: nullable(VersionSummary),
      live_version: nullable(VersionSummary),
      created_at: nullable(t.string),
      updated_at: nullable(t.string),
    }),
  ]),
  'PromptSummary',
)

/** A managed prompt in a list. */
export interface PromptSummary extends t.TypeOf<typeof PromptSummary> {}

/**
 * One page of `POST /api/prompts/list/`. `next` and `previous` are URLs, or null at the ends; `count` is that of all
 * pages.
 *
 * @see https://www.respan.ai/docs/apis/prompts/list-prompts
 */
export const PromptList = wire(
  t.intersection([
    t.type({ results: listOf(PromptSummary) }),
    t.partial({ count: nullable(finite), next: nullable(t.string), previous: nullable(t.string) }),
  ]),
  'PromptList',
)

/** One page of managed prompts. */
export type PromptList = t.TypeOf<typeof PromptList>

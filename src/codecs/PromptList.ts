import * as t from 'io-ts'
import { Identifier } from './Identifier.js'
import { finite, listOf, received, wire } from './wire.js'

const VersionSummary = wire(
  received({ version: finite, model: t.string, updated_at: t.string }),
  'PromptVersionSummary',
)

/**
 * A managed prompt in a list: `current_version` is the newest version, `live_version` the deployed one, or null if none
 * is deployed.
 *
 * @see https://www.respan.ai/docs/apis/prompts/list-prompts
 */
export const PromptSummary = wire(
  t.intersection([
    t.type({ id: Identifier }),
    received({
      name: t.string,
      description: t.string,
      prompt_slug: t.string,
      tags: t.readonlyArray(t.unknown, 'list of tags'),
      current_version: VersionSummary,
      live_version: VersionSummary,
      created_at: t.string,
      updated_at: t.string,
    }),
  ]),
  'PromptSummary',
)

/** A managed prompt in a list. */
export interface PromptSummary extends t.TypeOf<typeof PromptSummary> {}

/**
 * One page of `POST /api/prompts/list/`. `next` and `previous` are URLs, or null at the ends; `count` is the total over
 * all pages.
 *
 * @see https://www.respan.ai/docs/apis/prompts/list-prompts
 */
export const PromptList = wire(
  t.intersection([
    t.type({ results: listOf(PromptSummary) }),
    received({ count: finite, next: t.string, previous: t.string }),
  ]),
  'PromptList',
)

/** One page of managed prompts. */
export type PromptList = t.TypeOf<typeof PromptList>

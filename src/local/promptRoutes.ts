import { type Context, Hono } from 'hono'
import { fromNullable, right } from '#fp/Either'
import type { Fields } from '../codecs/Fields.js'
import { answering } from './answering.js'
import { StoredParams } from './LocalPrompt.js'
import type { LocalEnv, LocalState } from './LocalState.js'
import { paged } from './paged.js'
import { type StoredPrompt, type StoredVersion, versionOf } from './promptStore.js'
import { refusal } from './Refusal.js'

// Prompts come from code or files, and have no dates of their own.
const SINCE = '2026-01-01T00:00:00Z'

// The platform lists the parameters that a version doesn't have as null.
const NO_PARAMS: Fields = Object.fromEntries(Object.keys(StoredParams.type.props).map((name) => [name, null]))

const versionBody = (prompt: StoredPrompt, version: StoredVersion): Fields => ({
  id: `pv_${prompt.id}_${version.version}`,
  prompt_version_id: `pv_${prompt.id}_${version.version}`,
  version: version.version,
  description: version.description ?? '',
  messages: version.messages,
  model: version.model ?? null,
  stream: false,
  ...NO_PARAMS,
  json_schema: null,
  is_enforcing_response_format: version.params?.response_format !== undefined,
  variables: version.variables ?? {},
  fallback_models: version.fallback_models ?? [],
  load_balance_models: version.load_balance_models ?? [],
  ...version.params,
  readonly: true,
  is_deployed: version.version === prompt.deployed,
  edited_by: null,
  created_at: SINCE,
  updated_at: SINCE,
})

const versionHead = (version: StoredVersion | undefined): Fields | null =>
  version === undefined ? null : { version: version.version, model: version.model ?? null, updated_at: SINCE }

const promptBody = (prompt: StoredPrompt): Fields => ({
  id: prompt.id,
  name: prompt.name,
  description: prompt.description,
  prompt_slug: prompt.id,
  tags: [],
  current_version: versionHead(versionOf(prompt, 'latest')),
  live_version: versionHead(versionOf(prompt, undefined)),
  created_at: SINCE,
  updated_at: SINCE,
})

/** The prompt endpoints, read only. */
export const promptRoutes = (state: LocalState): Hono<LocalEnv> => {
  const { prompts } = state
  const list = answering(state, 'prompts', (c) => right(paged(c, [...prompts.values()].map(promptBody), 100)))
  const ofPrompt = (what: string, read: (prompt: StoredPrompt, c: Context<LocalEnv>) => Fields | undefined) =>
    answering(state, 'prompts', (c) => {
      const prompt = prompts.get(c.req.param('id') ?? '')
      return fromNullable(refusal(404, `${what} not found`))(prompt && read(prompt, c))
    })
  return new Hono<LocalEnv>()
    .get('/', list)
    .post('/list', list)
    .get('/:id', ofPrompt('Prompt', promptBody))
    .get(
      '/:id/versions',
      ofPrompt('Prompt', (prompt, c) => {
        const bodies = prompt.versions.toReversed().map((version) => versionBody(prompt, version))
        return paged(c, bodies, 200)
      }),
    )
    .get(
      '/:id/versions/:version',
      ofPrompt('Prompt version', (prompt, c) => {
        const asked = c.req.param('version') ?? ''
        const version = versionOf(prompt, asked === 'latest' ? asked : Number(asked))
        return version && versionBody(prompt, version)
      }),
    )
}

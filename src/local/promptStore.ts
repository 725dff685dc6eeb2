import type { ChatParams } from '../codecs/ChatParams.js'
import { refuse } from '../codecs/refuse.js'
import { type LocalPrompt, type LocalPromptVersion, StoredParams } from './LocalPrompt.js'

/** A version with its number. */
export interface StoredVersion extends LocalPromptVersion {
  readonly version: number
}

/** A prompt with its versions in ascending order. */
export interface StoredPrompt {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly versions: ReadonlyArray<StoredVersion>
  /** The number of the version for requests that name none. */
  readonly deployed: number
}

/** Prompts by id. */
export type PromptStore = ReadonlyMap<string, StoredPrompt>

const paramsOf = (version: LocalPromptVersion): ChatParams => ({
  ...Object.fromEntries(
    Object.entries(version).filter(
      ([name, value]) => Object.hasOwn(StoredParams.type.props, name) && value !== null,
    ),
  ),
  ...version.params,
})

const stored = (id: string, prompt: LocalPrompt): StoredPrompt => {
  const { name, description } = prompt
  const history = 'versions' in prompt ? prompt : { versions: [prompt], deployed: undefined }
  const versions = history.versions
    .map((version, index) => ({
      ...version,
      params: paramsOf(version),
      version: version.version ?? index + 1,
    }))
    .toSorted((a, b) => a.version - b.version)
  const deployed = history.deployed ?? versions.at(-1)?.version ?? 1
  const numbers = new Set(versions.map((version) => version.version))
  if (numbers.size < versions.length || !numbers.has(deployed))
    refuse('startLocal', `prompts.${id}`, 'versions with different numbers, one of them deployed', prompt)
  return { id, name: name ?? id, description: description ?? '', versions, deployed }
}

/**
 * The prompts as the gateway looks them up.
 *
 * @throws InvalidInput for a prompt whose deployed version isn't there, or two of whose versions have the same number
 */
export const promptStore = (prompts: Readonly<Record<string, LocalPrompt>>): PromptStore =>
  new Map(Object.entries(prompts).map(([id, prompt]) => [id, stored(id, prompt)]))

/**
 * The version that a reference means.
 *
 * @param version - a number, `latest` for the newest, or nothing for the deployed one
 */
export const versionOf = (
  prompt: StoredPrompt,
  version: number | 'latest' | undefined,
): StoredVersion | undefined =>
  version === 'latest'
    ? prompt.versions.at(-1)
    : prompt.versions.find((one) => one.version === (version ?? prompt.deployed))

import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { checked } from '../codecs/checked.js'
import { describeFound } from '../codecs/describeFound.js'
import { InvalidInput } from '../errors.js'
import { LocalPrompt } from './LocalPrompt.js'

const readPromptFile = async (path: string): Promise<LocalPrompt> => {
  const text = await readFile(path, 'utf8')
  try {
    return checked(path, LocalPrompt, JSON.parse(text))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new InvalidInput(path, { path: '', expected: 'JSON', found: describeFound(text), cause: error })
  }
}

/**
 * Reads the prompts of a folder: each `<id>.json` is one, in the shape of {@link LocalPrompt}.
 *
 * @returns rejects with `InvalidInput`, which names the file, when one is not a prompt
 */
export const readPromptsDirectory = async (
  directory: string,
): Promise<Readonly<Record<string, LocalPrompt>>> => {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.json')).toSorted()
  const prompts = await Promise.all(
    files.map(
      async (file) => [basename(file, '.json'), await readPromptFile(join(directory, file))] as const,
    ),
  )
  return Object.fromEntries(prompts)
}

import type { Answer } from './Answer.js'
import type { Reading } from './exchange.js'
import { readText } from './readText.js'
import type { Scrub } from './Scrub.js'

/** How long to wait for the body of a failure, ms: its status has arrived already, and says more. */
const PATIENCE = 1_000

/** Reads a whole answer. A failure is reported by its status even if its body breaks off or does not end. */
export const readAnswer = async (
  response: Response,
  reading: Reading<never>,
  scrub: Scrub,
  maxBytes: number,
): Promise<Answer> => {
  const { text, cut } = response.ok
    ? await readText(response, reading, maxBytes)
    : await readText(response, reading, maxBytes, PATIENCE).catch(() => ({ text: '', cut: true }))
  return {
    status: response.status,
    statusText: scrub(response.statusText),
    headers: response.headers,
    text: scrub(text),
    cut,
    ids: reading.ids,
  }
}

// One operation: a root and three steps, each awaited, with an input, an output and six attributes on every span. The
// steps are the same functions for everybody.

const DOCUMENTS = [
  'An Observable is a lazy push collection.',
  'A Subject multicasts.',
  'A scheduler governs time.',
]

export const input = { topic: 'rx observables', language: 'en' }

/** @type {ReadonlyArray<readonly [name: string, step: (value: never) => Promise<unknown>]>} */
export const steps = [
  ['retriever', async ({ topic, language }) => ({ topic, language, documents: DOCUMENTS })],
  [
    'prompt',
    async ({ topic, documents }) => ({ prompt: `${documents.join('\n')}\nTell me about ${topic}.` }),
  ],
  ['answer', async ({ prompt }) => ({ text: `${prompt.length} characters were asked.` })],
]

export const SPANS_PER_OPERATION = 1 + steps.length

export const expected = JSON.stringify({ text: '118 characters were asked.' })

/** What is on every span beside its input and output. */
export const attributes = {
  customer_identifier: 'user_123',
  thread_identifier: 'conversation_456',
  session: 'abc123',
  release: '1.4.2',
  region: 'eu-central-1',
  attempt: 1,
}

// What all contestants ask for, and the tool that they may be offered.

export const MODEL = 'gpt-4o-mini'
export const PROMPT = 'Tell me about reactive streams.'

export const messages = [{ role: 'user', content: PROMPT }]

export const tools = [
  {
    type: 'function',
    function: {
      name: 'remember',
      description: 'Remembers a text.',
      parameters: { type: 'object', properties: {} },
    },
  },
]

export const streamOptions = { stream: true, stream_options: { include_usage: true } }

/** The body of a request, for those who make it themselves. */
export const bodyFor = (kind) => ({
  model: MODEL,
  messages,
  ...(kind === 'tools' ? { tools } : {}),
  ...streamOptions,
})

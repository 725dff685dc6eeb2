// The bytes that every contestant gets, and what it must make of them. Seeded, so that server and contestants, which
// are different processes, agree without talking.

/** A stream's shape: what is in its events, and how the bytes are cut. */
export const SHAPES = {
  event: {
    tokens: 500,
    cut: 'events',
    apart: true,
    note: 'each event an HTTP chunk and a packet of its own',
  },
  mss: { tokens: 500, cut: 1460, note: 'segments of 1460 bytes' },
  '16k': { tokens: 500, cut: 16_384, note: 'segments of 16 KiB' },
  tiny: {
    tokens: 500,
    cut: 97,
    framed: true,
    apart: true,
    note: 'HTTP chunks of 97 bytes, each a packet of its own',
  },
  long: { tokens: 100, cut: 1460, length: 2000, note: 'tokens of 2000 characters' },
  tools: { tokens: 500, cut: 1460, tools: true, note: 'two tool calls, their arguments interleaved' },
  '10k': { tokens: 10_000, cut: 1460, note: 'one stream of 10,000 chunks' },
  quiet: { tokens: 10, cut: 'events', every: 4, note: 'an event each 4 ms' },
  paced: { tokens: 100, cut: 'five', every: 200, note: 'five events each 200 ms' },
  slow: { tokens: 100, cut: 'five', every: 500, note: 'five events each 500 ms' },
  burst: { tokens: 100, cut: 1460, note: '100 chunks' },
  '96MB': { tokens: 3_000, cut: 16_384, length: 32_768, note: '96 MB of text' },
}

const WORDS = [
  ' the',
  ' a',
  ' model',
  ' answers',
  ',',
  ' naïve',
  ' token',
  ' by',
  ' token',
  ' — ',
  ' 日本',
  ' "so"',
  '.\n',
  's',
]

const random = (seed) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const wordsOf = (next, length) => {
  let text = WORDS[next(WORDS.length)]
  while (text.length < length) text += WORDS[next(WORDS.length)]
  return text
}

const event = (next, choices, usage = null) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-BqK2wZ9xVbN4mT7yLpR3sD8fGhJ1c',
    object: 'chat.completion.chunk',
    created: 1_795_000_000,
    model: 'gpt-4o-mini-2024-07-18',
    service_tier: 'default',
    system_fingerprint: 'fp_560af6e559',
    choices,
    usage,
    obfuscation: 'K3xTq9ZbWm2Lp'.slice(next(10)),
  })}\n\n`

const choice = (delta, finish_reason = null) => [{ index: 0, delta, logprobs: null, finish_reason }]

const toolDelta = (call, text) => choice({ tool_calls: [{ index: call, function: { arguments: text } }] })

const textEvents = ({ tokens, length = 1 }) => {
  const next = random(7)
  const pieces = Array.from({ length: tokens }, () => wordsOf(next, length))
  const events = [event(next, choice({ role: 'assistant', content: '', refusal: null }))]
  for (const content of pieces) events.push(event(next, choice({ content })))
  events.push(event(next, choice({}, 'stop')))
  return { next, events, text: pieces.join(''), deltas: tokens }
}

const toolEvents = ({ tokens }) => {
  const next = random(11)
  const half = tokens / 2
  const opened = (call) => ({
    index: call,
    id: `call_${call}`,
    type: 'function',
    function: { name: 'remember', arguments: '' },
  })
  const events = [event(next, choice({ role: 'assistant', content: null }))]
  for (const call of [0, 1]) events.push(event(next, choice({ tool_calls: [opened(call)] })))
  const calls = [0, 1].map(() => {
    const middle = Array.from({ length: half - 2 }, () => JSON.stringify(wordsOf(next, 1)).slice(1, -1))
    return ['{"text":"', ...middle, '"}']
  })
  for (let at = 0; at < half; at++)
    for (const call of [0, 1]) events.push(event(next, toolDelta(call, calls[call][at])))
  events.push(event(next, choice({}, 'tool_calls')))
  return { next, events, text: calls.map((pieces) => pieces.join('')).join('\n'), deltas: tokens }
}

/**
 * The events of a shape, and what there is to be read out of them: the text (of tool calls the arguments, call by call),
 * the number of deltas that are not empty, and the sum of tokens that the last event reports.
 *
 * @param {string} name
 */
export const streamOf = (name) => {
  const shape = SHAPES[name]
  const { next, events, text, deltas } = shape.tools === true ? toolEvents(shape) : textEvents(shape)
  const usage = { prompt_tokens: 23, completion_tokens: shape.tokens, total_tokens: shape.tokens + 23 }
  events.push(event(next, [], usage), 'data: [DONE]\n\n')
  return { events, expected: { text, deltas, total: usage.total_tokens } }
}

const framed = (piece) =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])

const cutBy = (bytes, size) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )

const grouped = (events, size) =>
  Array.from({ length: Math.ceil(events.length / size) }, (_, at) =>
    Buffer.from(events.slice(at * size, (at + 1) * size).join('')),
  )

/** The body of a shape that is cut by bytes, in its pieces. @param {string} name */
export const bodyOf = (name) => cutBy(Buffer.from(streamOf(name).events.join('')), SHAPES[name].cut)

/**
 * A whole answer as it goes down the socket: head and body, cut into the pieces that are written one by one.
 *
 * All pieces are writes, of which the reader gets several at once when it is slower than the server, as it is everywhere. Those
 * that are `apart` are HTTP chunks, and the server turns to others between them; those with a time wait for it.
 *
 * @param {string} name
 */
export const answerOf = (name) => {
  const { cut, framed: asChunks, every, apart } = SHAPES[name]
  const { events } = streamOf(name)
  const body = Buffer.from(events.join(''))
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: text/event-stream; charset=utf-8',
    'x-request-id: req_bench',
  ]
  const headWith = (header) => Buffer.from(`${[...head, header].join('\r\n')}\r\n\r\n`)
  if (typeof cut === 'number' && asChunks !== true)
    return { every, apart, pieces: [headWith(`content-length: ${body.length}`), ...cutBy(body, cut)] }
  const pieces = typeof cut === 'number' ? cutBy(body, cut) : grouped(events, cut === 'five' ? 5 : 1)
  const start = headWith('transfer-encoding: chunked')
  return { every, apart, pieces: [start, ...pieces.map(framed), Buffer.from('0\r\n\r\n')] }
}

import type { ChatMessage } from '../codecs/ChatMessage.js'
import { pick } from './hash.js'
import { callsIn, textOf } from './ModelRequest.js'
import { parseShallow } from './parseShallow.js'
import { type Reading, readPrompt } from './readPrompt.js'
import { capitalised, keywordsOf, sentencesOf, stemOf, stemsAmong, wordsOf } from './words.js'

const OPENERS = [
  'The quickest way into {topic} is to ask which problem it answers.',
  'Any introduction to {topic} has to begin with where the idea came from.',
  'People mean several things by {topic}, so a plain definition comes first.',
  'Interest in {topic} has grown because it touches so many everyday decisions.',
  'At its core, {topic} comes down to a handful of ideas that fit together.',
  'There is more to {topic} than the headline suggests.',
  'Ask three people about {topic} and you will hear three good answers.',
] as const

const BODIES = [
  'One part is well understood and can be learned from examples; the other is still argued about.',
  'A good mental model is a row of small steps, each of them simple, which together do something that looks hard.',
  'The details matter: small changes at the start lead to quite different results.',
  'Most of the practical work goes into gathering good material, checking it and keeping it up to date.',
  'History helps here, since many of today’s methods are old ideas that finally became affordable.',
  'What counts in practice is knowing where it works, where it fails, and how to tell the two apart.',
  'Those who work with it every day value clear goals and honest measurements over clever tricks.',
  'It is easiest to learn from one concrete case, changed one step at a time.',
  'Its limits are as instructive as its successes, and they are often easier to measure.',
] as const

const CLOSERS = [
  'If you want to go deeper into {topic}, start with an example of your own.',
  'In short, {topic} rewards curiosity and a healthy amount of scepticism.',
  'A next step would be to compare two real cases of {topic} and to note what differs.',
  'Whatever you read about {topic}, ask how the claim was tested.',
  'That is {topic} in a nutshell; ask for an example and you will get one.',
] as const

const GREETINGS = [
  'Hello! What would you like to know?',
  'Hello there. Ask me anything, and I will do my best.',
  'Good to hear from you. How can I help?',
] as const

const QUOTING = ['According to the text: ', 'From what you gave me: ', 'The material says: '] as const

const ASKED_ABOUT = ['As for {topic}: ', 'About {topic}: ', 'On {topic}: '] as const

const fill = (template: string, topic: string): string =>
  capitalised(template.replaceAll('{topic}', () => topic))

// A sentence about a topic, by its index: an opener first, then bodies, each once before any is repeated.
const sentence = (topic: string, seed: number, index: number): string =>
  index === 0 ? fill(pick(OPENERS, seed), topic) : pick(BODIES, Math.floor(seed / 7) + index * 4)

const INSTRUCTION =
  /^(?:you are|you're|your|answer|reply|use|always|never|do not|don't|please|if|given|based|be|keep)\b/iu

interface Conversation {
  readonly messages: ReadonlyArray<ChatMessage>
  /** Where the user's last message is. */
  readonly last: number
  /** What that message asks for. */
  readonly reading: Reading
  /** What the system and the user say, in which the answer's form and length may be asked for. */
  readonly instructions: string
}

// What the conversation holds besides the question: documents in the prompt, tool results, what was said before.
const material = ({ messages, last, reading }: Conversation): ReadonlyArray<string> => {
  const earlier = messages.flatMap((message, index) => {
    const text = textOf(message.content)
    if (message.role === 'user') return index < last ? [text] : []
    if (message.role === 'tool') return [text]
    const informs =
      message.role !== 'assistant' && /\b(?:context|documents?|sources?|facts?|knowledge)\b/iu.test(text)
    return informs ? [text] : []
  })
  return [reading.context, ...earlier]
    .flatMap(sentencesOf)
    .filter(
      (text) =>
        !text.endsWith('?') && !text.endsWith(':') && !INSTRUCTION.test(text) && wordsOf(text).length > 2,
    )
}

const LABEL = /^(?:context|documents?|source|facts?|content|title|answer)\s*:\s*/iu

const quoted = (sentences: ReadonlyArray<string>, question: string): string | undefined => {
  const wanted = new Set(keywordsOf(question).map(stemOf))
  const scored = sentences.map((text) => ({ text, score: stemsAmong(wanted, text) }))
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a), { text: '', score: 0 })
  return best.score * 2 >= wanted.size && best.score > 0 ? best.text.replace(LABEL, '') : undefined
}

const NUMBERS: Readonly<Record<string, number>> = {
  one: 1,
  single: 1,
  'a single': 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
}

interface Length {
  readonly sentences: number
  readonly words: number
}

// "in two sentences", "500 words", "be brief". Bounded: nobody should talk a test server into megabytes.
const lengthAsked = (instructions: string, seed: number): Length => {
  const words = /\b(\d{2,5})[- ]words?\b/iu.exec(instructions)?.[1]
  if (words !== undefined)
    return { sentences: Number.POSITIVE_INFINITY, words: Math.min(Number(words), 20_000) }
  const sentences = /\b(\d{1,2}|one|a single|single|two|three|four|five)[- ](?:short )?sentences?\b/iu.exec(
    instructions,
  )?.[1]
  if (sentences !== undefined) {
    const asked = NUMBERS[sentences.toLowerCase()] ?? Number(sentences)
    return { sentences: Math.max(1, asked), words: 0 }
  }
  if (/\b(?:brief|briefly|concise|short|succinct|terse)\b/iu.test(instructions))
    return { sentences: 1, words: 0 }
  return { sentences: 2 + (seed % 3), words: 0 }
}

const prose = ({ instructions, reading }: Conversation, seed: number): string => {
  const { sentences, words } = lengthAsked(instructions, seed)
  const parts: Array<string> = []
  for (let index = 0, count = 0; index < sentences && (words === 0 || count < words); index++) {
    const closes = words === 0 && index === sentences - 1 && index > 0
    const next = closes
      ? fill(pick(CLOSERS, Math.floor(seed / 63)), reading.topic)
      : sentence(reading.topic, seed, index)
    count += wordsOf(next).length
    parts.push(index > 0 && index % 5 === 0 ? `\n\n${next}` : index > 0 ? ` ${next}` : next)
  }
  const text = parts.join('')
  return /\b(?:bullets?|bullet points|list)\b/iu.test(instructions)
    ? sentencesOf(text)
        .map((item) => `- ${item}`)
        .join('\n')
    : text
}

const persona = (system: string): string => {
  const role = /\byou(?: are|'re| act as) (an? [\p{L} -]{2,40})/iu.exec(system)?.[1]?.trim()
  return role === undefined || /\b(?:assistant|bot|chatbot|model|agent|ai)\b/iu.test(role)
    ? ''
    : `Speaking as ${role}: `
}

const answerTo = (conversation: Conversation, seed: number): string => {
  const { ask, question, topic } = conversation.reading
  switch (ask._tag) {
    case 'Greeting':
      return pick(GREETINGS, seed)
    case 'Say':
      return ask.text
    case 'Sum':
      return `${ask.text}.`
    case 'YesNo':
      return pick(['Yes.', 'No.'], seed)
    case 'Translation':
      return `[${ask.language}] ${ask.text || topic}`
    case 'Summary': {
      const sentences = sentencesOf(ask.text)
      return `In short: ${sentences.slice(0, Math.max(1, Math.ceil(sentences.length / 4))).join(' ')}`
    }
    case 'Topic': {
      const found = quoted(material(conversation), question)
      return found === undefined ? prose(conversation, seed) : `${pick(QUOTING, seed)}${found}`
    }
  }
}

/**
 * The built-in model's answer in prose. It echoes what it is told to say, does a sum, quotes the sentence of the given
 * documents that fits the question best, or else writes a few general sentences about the topic. The same conversation and
 * `seed` give the same answer.
 *
 * @param seed - decides between equally good wordings
 */
export const composeText = (messages: ReadonlyArray<ChatMessage>, seed: number): string => {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const reading = readPrompt(textOf(messages[last]?.content ?? messages.at(-1)?.content))
  const system = messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .map(({ content }) => textOf(content))
    .join('\n')
  const prompt = textOf(messages[last]?.content)
  const language = /\b[Tt]ranslat\w*\b.*?\b(?:in)?to\s+(\p{Lu}\p{L}+)/su.exec(system)?.[1]
  if (language !== undefined && reading.ask._tag === 'Topic') return `[${language}] ${prompt}`
  const answer = answerTo({ messages, last, reading, instructions: `${system}\n${prompt}` }, seed)
  return reading.ask._tag === 'Topic' ? `${persona(system)}${answer}` : answer
}

const spoken = (value: unknown): string => {
  if (Array.isArray(value)) return value.slice(0, 5).map(spoken).join('; ')
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .slice(0, 8)
      .map(([key, inner]) => `${key.replaceAll('_', ' ')} ${spoken(inner)}`)
      .join(', ')
  }
  return String(value)
}

/** The answer after tools were called, which says what each of them returned. */
export const composeFromResults = (messages: ReadonlyArray<ChatMessage>, seed: number): string => {
  const start = messages.findLastIndex(({ role }) => role !== 'tool') + 1
  const called = new Map(messages.flatMap(callsIn).map((call) => [call.id, call.function.name]))
  const results = messages.slice(start).map((message) => {
    const id = message.role === 'tool' ? message.tool_call_id : ''
    const name = called.get(id) ?? message.name ?? 'the tool'
    const said = spoken(parseShallow(textOf(message.content)) ?? textOf(message.content)).trim()
    return `${name} says: ${said === '' ? 'nothing' : said.replace(/(?<![.\s])[.\s]+$/u, '')}.`
  })
  const asked = messages.findLast(({ role }) => role === 'user')
  const { topic } = readPrompt(textOf(asked?.content))
  return `${fill(pick(ASKED_ABOUT, seed), topic)}${results.join(' ')}`
}

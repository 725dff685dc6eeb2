import { isCommon, keywordsOf, sentencesOf, wordsOf } from './words.js'

/** What the built-in model takes a prompt to ask for. */
export type Ask =
  | { readonly _tag: 'Greeting' }
  | { readonly _tag: 'Say'; readonly text: string }
  | { readonly _tag: 'Sum'; readonly text: string }
  | { readonly _tag: 'Summary'; readonly text: string }
  | { readonly _tag: 'Translation'; readonly language: string; readonly text: string }
  | { readonly _tag: 'YesNo' }
  | { readonly _tag: 'Topic' }

/** What the built-in model reads out of a prompt. */
export interface Reading {
  readonly ask: Ask
  /** The sentence that asks. */
  readonly question: string
  /** What it is about, fit for the middle of a sentence. */
  readonly topic: string
  /** The rest of the prompt, which may hold the answer. */
  readonly context: string
}

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '×': (a, b) => a * b,
  '/': (a, b) => a / b,
  '÷': (a, b) => a / b,
}

const sumIn = (text: string): string | undefined => {
  const found = /(-?\d+(?:\.\d+)?)\s*([+\-*×/÷])\s*(-?\d+(?:\.\d+)?)/u.exec(text)
  const [, a, sign, b] = found ?? []
  const operation = sign === undefined ? undefined : OPERATIONS[sign]
  if (a === undefined || b === undefined || operation === undefined) return undefined
  const result = operation(Number(a), Number(b))
  return Number.isFinite(result) ? `${a} ${sign} ${b} = ${Number(result.toFixed(6))}` : undefined
}

const unquoted = (text: string): string => text.trim().replace(/^["'“‘`]+|["'”’`]+$/gu, '')

const ABOUT = [
  /\b(?:about|regarding|concerning)\s+(.+)/isu,
  /\b(?:essay|poem|story|haiku|article|paragraph|report|introduction|joke|note)s?\s+(?:on|to|of)\s+(.+)/isu,
  /\b(?:explain|describe|define|discuss|outline|introduce|compare)\s+(?:to me\s+|me\s+to\s+)?(.+)/isu,
  /\b(?:why|how)\s+(?:do|does|did|can|should)\s+(.+?)\s+(?:matter|work|happen|help|fail|exist)\b/isu,
  /\b(?:what|who)(?:'s|\s+is|\s+are|\s+was|\s+were)\s+(.+)/isu,
]

const tidy = (topic: string): string =>
  (/^[^.?!\n:;]+/u.exec(topic)?.[0] ?? '')
    .replace(
      /\b(?:in|with|using|within|for)\s+(?:(?:at most|about|up to|less than)\s+)?(?:\d+|an?|one|two|three|a few|simple|plain|my|your)\b.*$/iu,
      '',
    )
    .replace(/\b(?:please|briefly|shortly)\b/giu, '')
    .replace(/[\s,"'“”]+$/u, '')
    .replace(/^[\s"'“”]+/u, '')
    .split(/\s+/u)
    .slice(0, 8)
    .join(' ')

const longestRun = (text: string): string => {
  const runs: Array<Array<string>> = [[]]
  for (const word of wordsOf(text)) {
    if (isCommon(word)) runs.push([])
    else runs.at(-1)?.push(word)
  }
  return runs
    .reduce((best, run) => (run.length > best.length ? run : best), [])
    .slice(0, 6)
    .join(' ')
}

const topicOf = (question: string): string => {
  const found = ABOUT.map((pattern) => tidy(pattern.exec(question)?.[1] ?? '')).find(
    (topic) => keywordsOf(topic).length > 0,
  )
  return found ?? (longestRun(question) || 'your question')
}

const TASK =
  /^(?:please\s+)?(?:tell|explain|describe|write|define|discuss|compare|list|give|show|find|answer)\b/iu

const questionIn = (text: string): string => {
  const labelled = [
    ...text.matchAll(/(?:^|\n)[ \t]*(?:question|query|user_input|q)[ \t]*:[ \t]*(\S[^\n]*)/giu),
  ].at(-1)?.[1]
  if (labelled !== undefined) return labelled.trim()
  const sentences = sentencesOf(text)
  return (
    sentences.findLast((sentence) => sentence.endsWith('?')) ??
    sentences.find((sentence) => TASK.test(sentence)) ??
    text
  )
}

const askIn = (text: string): Ask => {
  const short = text.trim()
  if (/^(?:hi|hello|hey|good (?:morning|evening|afternoon)|thanks|thank you)\b[^?\n]{0,20}$/iu.test(short))
    return { _tag: 'Greeting' }
  const said =
    /^(?:please\s+)?(?:say|repeat|echo|(?:reply|respond|answer) with)(?:\s+(?:only|just|exactly|after me|the words?))*\s*:?\s+(.+)$/isu.exec(
      short,
    )
  if (said?.[1] !== undefined) return { _tag: 'Say', text: unquoted(said[1]) }
  const translated = /\b(?:translate|translation)\b.*?\b(?:in)?to\s+(\p{Lu}\p{L}+)\b[.:]?\s*(.*)$/isu.exec(
    short,
  )
  if (translated?.[1] !== undefined) {
    const after = translated[2]?.trim() ?? ''
    const quoted = /["“](.+?)["”]/su.exec(short)?.[1]
    return { _tag: 'Translation', language: translated[1], text: quoted ?? after }
  }
  const summarized =
    /^(?:please\s+)?(?:(?:summari[sz]e|sum up|give (?:me )?a summary of)\b[^:\n]*|in (?:one|a|\d+) (?:short )?sentences?)[:\n]\s*(.+)$/isu.exec(
      short,
    )
  if (summarized?.[1] !== undefined) return { _tag: 'Summary', text: summarized[1] }
  if (/\byes or no\b/iu.test(short)) return { _tag: 'YesNo' }
  const sum = sumIn(short)
  return sum === undefined ? { _tag: 'Topic' } : { _tag: 'Sum', text: sum }
}

// Characters. A long prompt says what it asks for at its start or its end: there is no need to read all of it.
const READ = 8_000

/** Reads a prompt: simple patterns of English, no understanding. */
export const readPrompt = (prompt: string): Reading => {
  const text = prompt.length > READ ? `${prompt.slice(0, READ / 2)}\n${prompt.slice(-READ / 2)}` : prompt
  const question = questionIn(text)
  return {
    ask: askIn(text),
    question,
    topic: topicOf(question.slice(0, 2_000)),
    context: prompt.replace(question, '\n'),
  }
}

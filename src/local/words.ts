import { grouped } from '../util/grouped.js'

const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’-]*/gu

const COMMON = new Set(
  `a about after again all also am an and any are as asap at be because been before being best between both but by
  call can could did do does doing don't down during each explain few for from further get give given go had has have
  having he hello her here hers hey hi him his how i i'm if in into is it it's its itself just know let let's like list
  long look make many may me might more most much must my need no nor not now of off on once one only or other our out
  over please put question same say she should show so some such summarize tell than thank thanks that the their them
  then there these they thing this those through to today too translate two under until up us use using very want was
  we were what what's when where which while who whom why will with words would write you your yes answer find
  describe define extract`.split(/\s+/),
)

/** The words of a text in their order, as they are written. */
export const wordsOf = (text: string): ReadonlyArray<string> => text.match(WORD) ?? []

/** Whether a word says nothing about a topic. */
export const isCommon = (word: string): boolean => COMMON.has(word.toLowerCase()) || word.length < 2

/** A word's stem, roughly: lower case, without a plural or possessive ending. */
export const stemOf = (word: string): string =>
  word
    .toLowerCase()
    .replace(/['’]s$/u, '')
    .replace(/(?<=[\p{L}]{3})(?:ies|es|s|ed|ing)$/u, '')

/** The words that carry the topic of a text: each once, in their order, as they are written. */
export const keywordsOf = (text: string): ReadonlyArray<string> => {
  const words = wordsOf(text).filter((word) => !isCommon(word))
  return Array.from(grouped(words, stemOf).values(), ([first]) => first)
}

/** How many of these stems occur in a text. */
export const stemsAmong = (stems: ReadonlySet<string>, text: string): number =>
  new Set(
    wordsOf(text)
      .map(stemOf)
      .filter((stem) => stems.has(stem)),
  ).size

/** A text with a capital at its beginning. */
export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The names in a text: runs of capitalised words, such as `New York`. */
export const namesOf = (text: string): ReadonlyArray<string> => {
  const runs = text.match(/\p{Lu}[\p{L}\p{M}'’-]+(?: \p{Lu}[\p{L}\p{M}'’-]+)*/gu) ?? []
  const names = runs
    .map((run) => {
      const words = run.split(' ')
      const start = words.findIndex((word) => !isCommon(word))
      return start < 0
        ? ''
        : words
            .slice(start)
            .join(' ')
            .replace(/['’]s$/u, '')
    })
    .filter((name) => name !== '')
  return [...new Set(names)]
}

/** The sentences and lines of a text, trimmed, without list marks. */
export const sentencesOf = (text: string): ReadonlyArray<string> =>
  (text.match(/[^\n.!?]+(?:[.!?](?![\s"')\]]|$)[^\n.!?]*)*[.!?]*/gu) ?? [])
    .map((sentence) => sentence.replace(/^[\s\-*•>)\]"']+|(?<!\s)\s+$/gu, ''))
    .filter((sentence) => sentence !== '')

import { parseShallow } from './parseShallow.js'

/** The value of a text that is JSON, nested at most 200 levels deep; any other text as it is. */
export const jsonOrText = (text: string | undefined): unknown => {
  if (text === undefined || !/^\s*[[{"\d\-tfn]/u.test(text)) return text
  const value = parseShallow(text)
  // A version `1.10`, or an id of 19 digits, would not read the same as a number.
  const isChanged = typeof value === 'number' && String(value) !== text.trim()
  return value === undefined || isChanged ? text : value
}

/** What counts as white space in Python, which is not quite what JavaScript's `trim` removes. */
export const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

const IS_SPACE = new RegExp(`^[${SPACE}]$`, 'u')

/** Removes the given characters, or else white space, from a text's ends. */
export const strip = (
  text: string,
  characters: string | undefined,
  side: 'both' | 'start' | 'end',
): string => {
  const unwanted = characters === undefined ? undefined : new Set(characters)
  const isUnwanted = (character: string): boolean => unwanted?.has(character) ?? IS_SPACE.test(character)
  const all = Array.from(text)
  let [start, end] = [0, all.length]
  while (side !== 'end' && start < end && isUnwanted(all[start] ?? '')) start += 1
  while (side !== 'start' && start < end && isUnwanted(all[end - 1] ?? '')) end -= 1
  return all.slice(start, end).join('')
}

/** Characters. Shorter media stay as they are, since a placeholder would save little. */
const SHORTEST = 1_000

// Media are found in data URLs, anywhere, even in JSON within JSON; and in the `data` of OpenAI's `input_audio` and `audio`.
const URL_BEGINNING = /data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+=-]+)*;base64,/g
const FIELD_BEGINNING = /"data":"/g

const NOT_BASE64 = /[^\w+/=-]/g

const endOfBase64 = (text: string, from: number): number => {
  NOT_BASE64.lastIndex = from
  return NOT_BASE64.exec(text)?.index ?? text.length
}

const sizeOf = (base64: string): string => {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return `${Math.floor((base64.length * 3) / 4) - padding} bytes`
}

const replaced = (
  text: string,
  beginning: RegExp,
  placeholder: (match: RegExpExecArray, size: string) => string,
): string => {
  const parts: Array<string> = []
  let end = 0
  for (const match of text.matchAll(beginning)) {
    const start = match.index + match[0].length
    const after = endOfBase64(text, start)
    if (after - start < SHORTEST) continue
    parts.push(text.slice(end, match.index), placeholder(match, sizeOf(text.slice(start, after))))
    end = after
  }
  // Joined, because a concatenation would keep the whole text alive.
  return [...parts, text.slice(end)].join('')
}

/**
 * Replaces images, audio and files in base64 by their type and size: `[image/png, 48213 bytes]`. They would fill a span up
 * to its bound, and push out the text beside them.
 */
export const withoutMedia = (content: string): string => {
  if (content.length < SHORTEST) return content
  const text = content.includes(';base64,')
    ? replaced(content, URL_BEGINNING, ([, type], size) => `[${type}, ${size}]`)
    : content
  return text.includes('audio"')
    ? replaced(text, FIELD_BEGINNING, ([field], size) => `${field}[${size}]`)
    : text
}

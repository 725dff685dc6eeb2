import { parseJson } from '../http/parseJson.js'

// Deeper than any honest document, and safe for what walks JSON by recursion, as `JSON.stringify` does.
const DEEPEST = 200

const isShallow = (value: unknown): boolean => {
  let level: ReadonlyArray<unknown> = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return false
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return true
}

/** Parses JSON that is nested at most 200 levels deep; anything else is `undefined`. */
export const parseShallow = (text: string): unknown => {
  const value = parseJson(text)
  return isShallow(value) ? value : undefined
}

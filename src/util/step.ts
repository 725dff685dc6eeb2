import { shorten } from './shorten.js'

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u
const INDEX = /^\d+$/

/** Extends a path by one step. */
export const step = (path: string, key: string): string => {
  if (INDEX.test(key)) return `${path}[${key}]`
  if (!IDENTIFIER.test(key)) return `${path}[${JSON.stringify(shorten(key))}]`
  return path === '' ? shorten(key) : `${path}.${shorten(key)}`
}

import { tagOf } from './tagOf.js'

const BUFFERS: ReadonlySet<string> = new Set(['ArrayBuffer', 'SharedArrayBuffer'])

/** Whether a value is a buffer of any realm: bytes, but no view of them. */
export const isBuffer = (value: object): value is ArrayBufferLike =>
  'byteLength' in value && BUFFERS.has(tagOf(value))

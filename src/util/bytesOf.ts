import { tagOf } from './tagOf.js'

/** Bytes that a value holds: how many, and of which type where it says so. */
interface Bytes {
  readonly size: number
  readonly type?: string
}

const BUFFERS: ReadonlySet<string> = new Set(['ArrayBuffer', 'SharedArrayBuffer'])
const BLOBS: ReadonlySet<string> = new Set(['Blob', 'File'])

const isBuffer = (value: object): value is ArrayBufferLike =>
  'byteLength' in value && BUFFERS.has(tagOf(value))
const isBlob = (value: object): value is Blob => 'size' in value && BLOBS.has(tagOf(value))

/** The bytes of a view, a buffer, a blob or a file of any realm; `undefined` for anything else. */
export const bytesOf = (value: object): Bytes | undefined => {
  if (ArrayBuffer.isView(value) || isBuffer(value)) return { size: value.byteLength }
  return isBlob(value) ? { size: value.size, type: value.type } : undefined
}

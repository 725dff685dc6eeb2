import { isBuffer } from './isBuffer.js'
import { tagOf } from './tagOf.js'

/** Bytes that a value holds: how many, and of which type where it says so. */
interface Bytes {
  readonly size: number
  readonly type?: string
}

const BLOBS: ReadonlySet<string> = new Set(['Blob', 'File'])

const isBlob = (value: object): value is Blob => 'size' in value && BLOBS.has(tagOf(value))

/** The bytes of a view, a buffer, a blob or a file of any realm; `undefined` for anything else. */
export const bytesOf = (value: object): Bytes | undefined => {
  if (ArrayBuffer.isView(value) || isBuffer(value)) return { size: value.byteLength }
  return isBlob(value) ? { size: value.size, type: value.type } : undefined
}

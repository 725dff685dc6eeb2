/** Where trace and span ids come from. */
export interface Ids {
  /** 32 lower-case hex digits, not all zero. */
  readonly trace: () => string
  /** 16 lower-case hex digits, not all zero. */
  readonly span: () => string
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

// One call for random bytes costs 5 µs whatever its size, so ids share a pool (90 ns each).
const POOL_BYTES = 4096
const pool = new Uint8Array(POOL_BYTES)
let next = POOL_BYTES

const hex = (bytes: number): string => {
  if (next + bytes > POOL_BYTES) {
    crypto.getRandomValues(pool)
    next = 0
  }
  let id = ''
  let any = 0
  for (let end = next + bytes; next < end; next++) {
    const byte = pool[next] ?? 0
    any |= byte
    id += HEX[byte]
  }
  return any === 0 ? hex(bytes) : id
}

/** Random ids in the forms that W3C Trace Context, OpenTelemetry and the Respan ingest all accept. */
export const randomIds: Ids = { trace: () => hex(16), span: () => hex(8) }

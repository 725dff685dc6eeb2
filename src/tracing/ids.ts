/** Where trace and span ids come from. */
export interface Ids {
  /** 32 lower-case hex digits, not all zero. */
  readonly trace: () => string
  /** 16 lower-case hex digits, not all zero. */
  readonly span: () => string
}

// One call for random bytes costs 5 µs whatever its size, so ids share a pool.
const POOL_BYTES = 4096
const ID_BYTES = 8
const pool = new Uint8Array(POOL_BYTES)
let next = POOL_BYTES

const NIBBLE = 15
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const code = (nibble: number): number => DIGITS[nibble] ?? 0
const high = (at: number): number => code((pool[at] ?? 0) >> 4)
const low = (at: number): number => code((pool[at] ?? 0) & NIBBLE)

const NONE = '0'.repeat(2 * ID_BYTES)

interface Runtime {
  readonly crypto?: Partial<Pick<Crypto, 'getRandomValues'>>
}

/** Ids have to differ, not to be secret: React Native has no `crypto` unless an app brings it, and a test may bring a part. */
const refill = (): void => {
  const { crypto }: Runtime = globalThis
  if (crypto?.getRandomValues === undefined) for (const at of pool.keys()) pool[at] = Math.random() * 256
  else crypto.getRandomValues(pool)
  next = 0
}

// Digit by digit into one flat string: concatenated, it would be a rope, which every lookup in a map flattens first.
const eightBytes = (): string => {
  if (next === POOL_BYTES) refill()
  const at = next
  next += ID_BYTES
  const id = String.fromCharCode(
    high(at),
    low(at),
    high(at + 1),
    low(at + 1),
    high(at + 2),
    low(at + 2),
    high(at + 3),
    low(at + 3),
    high(at + 4),
    low(at + 4),
    high(at + 5),
    low(at + 5),
    high(at + 6),
    low(at + 6),
    high(at + 7),
    low(at + 7),
  )
  return id === NONE ? eightBytes() : id
}

/** Random ids in the forms that W3C Trace Context, OpenTelemetry and the Respan ingest all accept. */
export const randomIds: Ids = { trace: () => eightBytes() + eightBytes(), span: eightBytes }

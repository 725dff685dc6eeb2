/** Where trace and span ids come from. */
export interface Ids {
  /** 32 lower-case hex digits, not all zero. */
  readonly trace: () => string
  /** 16 lower-case hex digits, not all zero. */
  readonly span: () => string
}

// A call for random bytes takes 5 µs, however many there are, so ids share a pool.
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

/**
 * Fills the pool. Ids must differ, but needn't be secret, so `Math.random` will do where there is no `crypto`, as in React
 * Native, or only part of it, as in some tests.
 */
const refill = (): void => {
  const { crypto }: Runtime = globalThis
  if (crypto?.getRandomValues === undefined) for (const at of pool.keys()) pool[at] = Math.random() * 256
  else crypto.getRandomValues(pool)
  next = 0
}

// One flat string, digit by digit: concatenation would make a rope, which a lookup in a map has to flatten first.
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

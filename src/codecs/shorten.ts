const SHOWN_LENGTH = 64

/** A key as messages show it: its first 64 characters. */
export const shortKey = (key: string): string =>
  key.length > SHOWN_LENGTH ? `${key.slice(0, SHOWN_LENGTH)}…` : key

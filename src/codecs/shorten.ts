const SHOWN_LENGTH = 64

/** A name as messages show it: its first 64 characters. */
export const shorten = (key: string): string =>
  key.length > SHOWN_LENGTH ? `${key.slice(0, SHOWN_LENGTH)}…` : key

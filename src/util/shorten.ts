const SHOWN_LENGTH = 64

/** A name as messages show it: its first 64 characters. */
export const shorten = (name: string): string =>
  name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name

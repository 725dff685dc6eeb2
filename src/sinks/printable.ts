const UNPRINTABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu

/** Makes a text safe for a terminal, which control characters could control, and bidirectional marks reorder. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, ' ')

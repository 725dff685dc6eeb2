const UNPRINTABLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu

/** A text of somebody else's for a terminal: control characters could drive it, bidirectional marks reorder what it shows. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, ' ')

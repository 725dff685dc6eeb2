/** What a caller without types may pass: a value as whatever is asked for. */
export const anything = <T = never>(value: unknown): T => value as T

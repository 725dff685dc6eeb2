/** What a caller without types may pass. */
export const anything = <T>(value: unknown): T => value as T

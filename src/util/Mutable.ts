/** A value that is still being built. */
export type Mutable<A> = { -readonly [Key in keyof A]: A[Key] }

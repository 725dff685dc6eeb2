/** A value while it is made. */
export type Mutable<A> = { -readonly [Key in keyof A]: A[Key] }

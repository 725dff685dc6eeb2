/** A value while a template is rendered. */
export interface Value {
  /** `namespace` is what `namespace()` makes: fields that can be set but not looped over. */
  readonly type:
    | 'undefined'
    | 'null'
    | 'boolean'
    | 'integer'
    | 'float'
    | 'text'
    | 'list'
    | 'object'
    | 'namespace'
    | 'function'
  readonly value: unknown
  /** A tuple, whose items are separate values for `%`. */
  readonly isTuple?: true
  /** A text that `escape` leaves as it is. Only the filter right after sees this: text made from it is ordinary text. */
  readonly isMarkup?: true
  /** The items of a list by names that they also have, for `a.b` and `attribute`. */
  readonly parts?: ReadonlyMap<string, Value>
  /** Instead of the methods that values of its type have. */
  readonly methods?: ReadonlyMap<string, Filter>
}

/** What a filter, test, method or function was called with. */
export interface Arguments {
  readonly positional: ReadonlyArray<Value>
  readonly keywords: ReadonlyMap<string, Value>
}

/**
 * Names of parameters, with a question mark when they are optional; as the last one, `*` stands for any number of arguments,
 * and `+` for at least one.
 */
export type Parameters = ReadonlyArray<string>

/** What a template applies to a value: a filter or a method makes another value of it, a test answers yes or no. */
export interface Applicable<A> {
  readonly parameters: Parameters
  readonly apply: (value: Value, args: Arguments) => A
}

/** A filter or a method: makes one value of another. */
export type Filter = Applicable<Value>

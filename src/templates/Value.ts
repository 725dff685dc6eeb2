/** A value while a template is rendered. */
export interface Value {
  /** `namespace` is what `namespace()` makes: fields that can be set, and that can't be looped over. */
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
  /** A list that is several values for `%`. */
  readonly isTuple?: true
  /** A text that `escape` leaves as it is. Only filters in a row see that: what is made of it is any text. */
  readonly isMarkup?: true
  /** What names a list's items have, under which `a.b` and `attribute` find them. */
  readonly parts?: ReadonlyMap<string, Value>
  /** In the place of its kind's. */
  readonly methods?: ReadonlyMap<string, Filter>
}

/** What a filter, test, method or function was called with. */
export interface Arguments {
  readonly positional: ReadonlyArray<Value>
  readonly keywords: ReadonlyMap<string, Value>
}

/**
 * The name of a parameter, with a question mark when it is optional; last, `*` stands for any more, and
 * `+` for at least one.
 */
export type Parameters = ReadonlyArray<string>

/** A filter, or a method: what it makes of a value. */
export interface Filter {
  readonly parameters: Parameters
  readonly apply: (value: Value, args: Arguments) => Value
}

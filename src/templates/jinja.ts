import { parse, tokenize } from '@huggingface/jinja'

/** A name, as a variable or as what a filter, test or function is called. */
export interface Identifier {
  readonly type: 'Identifier'
  readonly value: string
}

export interface Member {
  readonly type: 'MemberExpression'
  readonly object: Node
  readonly property: Node
  /** `a[b]` rather than `a.b`. */
  readonly computed: boolean
}

export interface Call {
  readonly type: 'CallExpression'
  readonly callee: Node
  readonly args: ReadonlyArray<Node>
}

export interface For {
  readonly type: 'For'
  readonly loopvar: Node
  readonly iterable: Node
  readonly body: ReadonlyArray<Node>
  readonly defaultBlock: ReadonlyArray<Node>
}

export interface SetBlock {
  readonly type: 'Set'
  readonly assignee: Node
  readonly value: Node | null
  readonly body: ReadonlyArray<Node>
}

/** The parameters of a macro: names, or names with a default. */
export type Parameter = Identifier | KeywordArgument

export interface KeywordArgument {
  readonly type: 'KeywordArgumentExpression'
  readonly key: Identifier
  readonly value: Node
}

export interface Macro {
  readonly type: 'Macro'
  readonly name: Identifier
  readonly args: ReadonlyArray<Parameter>
  readonly body: ReadonlyArray<Node>
}

export interface CallStatement {
  readonly type: 'CallStatement'
  readonly call: Call
  readonly callerArgs: ReadonlyArray<Parameter> | null
  readonly body: ReadonlyArray<Node>
}

/** The syntax tree, as far as this library looks into it. */
export type Node =
  | { readonly type: 'Program'; readonly body: ReadonlyArray<Node> }
  | {
      readonly type: 'If'
      readonly test: Node
      readonly body: ReadonlyArray<Node>
      readonly alternate: ReadonlyArray<Node>
    }
  | For
  | SetBlock
  | Macro
  | CallStatement
  | {
      readonly type: 'FilterStatement'
      readonly filter: Identifier | Call
      readonly body: ReadonlyArray<Node>
    }
  | { readonly type: 'Comment' | 'Break' | 'Continue' }
  | Member
  | Call
  | Identifier
  | { readonly type: 'IntegerLiteral' | 'FloatLiteral'; readonly value: number }
  | { readonly type: 'StringLiteral'; readonly value: string }
  // As the target of `set`, a list means the same as a tuple.
  | { readonly type: 'ArrayLiteral' | 'TupleLiteral'; readonly value: ReadonlyArray<Node> }
  | { readonly type: 'ObjectLiteral'; readonly value: ReadonlyMap<Node, Node> }
  | {
      readonly type: 'BinaryExpression'
      readonly operator: { readonly value: string }
      readonly left: Node
      readonly right: Node
    }
  | { readonly type: 'FilterExpression'; readonly operand: Node; readonly filter: Identifier | Call }
  | { readonly type: 'SelectExpression'; readonly lhs: Node; readonly test: Node }
  | {
      readonly type: 'TestExpression'
      readonly operand: Node
      readonly negate: boolean
      readonly test: Identifier
    }
  | {
      readonly type: 'UnaryExpression'
      readonly operator: { readonly value: string }
      readonly argument: Node
    }
  | {
      readonly type: 'SliceExpression'
      readonly start: Node | undefined
      readonly stop: Node | undefined
      readonly step: Node | undefined
    }
  | KeywordArgument
  | { readonly type: 'SpreadExpression' | 'KeywordSpreadExpression'; readonly argument: Node }
  | { readonly type: 'Ternary'; readonly condition: Node; readonly trueExpr: Node; readonly falseExpr: Node }

export type NodeOf<T extends Node['type']> = Extract<Node, { readonly type: T }>

export interface Token {
  readonly type: string
  readonly value: string
}

/** The parser of `@huggingface/jinja`, typed here: its own declarations import without extensions, so they say `any`. */
export const jinja: {
  /** Splits a template. Without options, white space stays as it is, except one newline at the end. */
  readonly tokenize: (source: string) => ReadonlyArray<Token>
  readonly parse: (tokens: ReadonlyArray<Token>) => NodeOf<'Program'>
} = { tokenize, parse }

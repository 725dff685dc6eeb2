import type { Node } from './jinja.js'

/** What a `set` block gives a value to: the parser takes the filters of `{% set x | trim %}` for a part of that. */
export const targetOf = (assignee: Node): Node =>
  assignee.type === 'FilterExpression' ? targetOf(assignee.operand) : assignee

/** A `set` block's content, with the filters of its tag. */
export const withSetFilters = (assignee: Node, content: Node): Node =>
  assignee.type === 'FilterExpression'
    ? { ...assignee, operand: withSetFilters(assignee.operand, content) }
    : content

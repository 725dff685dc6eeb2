import type { Node } from './jinja.js'

/** What a block of `set` gives a value to: of `{% set x | trim %}`, the parser takes the filters for a part of it. */
export const targetOf = (assignee: Node): Node =>
  assignee.type === 'FilterExpression' ? targetOf(assignee.operand) : assignee

/** A block's content with the filters of its `set`. */
export const withSetFilters = (assignee: Node, content: Node): Node =>
  assignee.type === 'FilterExpression'
    ? { ...assignee, operand: withSetFilters(assignee.operand, content) }
    : content

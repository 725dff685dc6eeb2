import { jinja, type NodeOf } from './jinja.js'
import { withTestArguments } from './testArguments.js'

/** Parses a template; tests with arguments, which the engine's parser does not know, are filters in what it gives. */
export const parseTemplate = (source: string): NodeOf<'Program'> =>
  jinja.parse(withTestArguments(jinja.tokenize(source)))

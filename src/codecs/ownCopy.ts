import { tried } from '../util/tried.js'
import type { Fields } from './Fields.js'
import { mergeAttributes } from './mergeAttributes.js'

/** A copy that later changes to the caller's objects don't reach: a deep one if the attributes can be cloned. */
export const ownCopy = <A extends Fields>(attributes: A): A =>
  tried(() => structuredClone(attributes)) ?? mergeAttributes(attributes, attributes)

import * as t from 'io-ts'

/** The fields of an object that a codec names, as io-ts's `exact` finds them; nothing when it is no such codec. */
export const propsOf = (codec: t.Any): t.AnyProps | undefined => {
  if (codec instanceof t.RefinementType || codec instanceof t.ReadonlyType) return propsOf(codec.type)
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return codec.props
  if (!(codec instanceof t.IntersectionType)) return undefined
  const parts: ReadonlyArray<t.Any> = codec.types
  const props = parts.map(propsOf)
  return props.includes(undefined) ? undefined : Object.assign({}, ...props)
}

/** A field of any object; `undefined` if its getter throws. */
export const fieldOf = (value: object, key: PropertyKey): unknown => {
  try {
    return Reflect.get(value, key)
  } catch {
    return undefined
  }
}

/** A field of anything; a getter that throws has nothing to show. */
export const fieldOf = (value: object, key: PropertyKey): unknown => {
  try {
    return Reflect.get(value, key)
  } catch {
    return undefined
  }
}

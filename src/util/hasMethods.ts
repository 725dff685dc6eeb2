/** Whether a value has methods of these names. */
export const hasMethods = (value: unknown, ...names: ReadonlyArray<PropertyKey>): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  names.every((name) => typeof Reflect.get(value, name) === 'function')

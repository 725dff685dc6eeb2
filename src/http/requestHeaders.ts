/**
 * Merges the headers of a request: the library's own, the key, and the user's, which win whatever their case.
 *
 * @param apiKey - sent as bearer token, if given
 * @param own - the library's headers
 * @param given - the user's headers
 * @returns headers with lower-case names
 */
export const requestHeaders = (
  apiKey: string | undefined,
  own: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => ({
  'content-type': 'application/json',
  ...own,
  ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])),
})

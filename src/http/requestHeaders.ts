/**
 * The headers of a request: the library's own, the key, then the user's, who may replace any of them in any case.
 *
 * @param apiKey - sent as bearer token when there is one
 * @param own - the library's
 * @param given - the user's
 * @returns names in lower case
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

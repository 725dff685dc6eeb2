/** Replaces every secret in a text by `[redacted]`. */
export type Scrub = (text: string) => string

/** No real key is shorter; scrubbing a shorter one would only garble messages. */
const SHORTEST_SECRET = 6

const SECRET_HEADER = /auth|key|token|secret|cookie|credential/i

/**
 * Collects what must not get into an error: the API key and the values of headers that look like credentials, as they
 * are, as JSON and as a URL would write them.
 *
 * @param headers - everything that a request sends
 * @returns the same function for the same secrets, as long as not a hundred others came since: whoever gathers them, as
 *   a trace does, has each one once
 */
export const scrubber = (headers: Readonly<Record<string, string>>): Scrub => {
  const secrets = Object.entries(headers)
    .filter(([name]) => SECRET_HEADER.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\S+\s+/, '')])
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    // The longest first: a secret may be a part of another one.
    .sort((one, other) => other.length - one.length)
  return secrets.length === 0 ? scrubNothing : scrubFor(secrets.map(literally).join('|'))
}

const MOST_KNOWN = 100
const known = new Map<string, Scrub>()

const makeScrub = (pattern: string): Scrub => {
  const anySecret = new RegExp(pattern, 'g')
  return (text) => text.replace(anySecret, '[redacted]')
}

const scrubFor = (pattern: string): Scrub => {
  const scrub = known.get(pattern) ?? makeScrub(pattern)
  known.delete(pattern)
  known.set(pattern, scrub)
  const [oldest] = known.keys()
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest)
  return scrub
}

/** Of a request without secrets; whoever gathers them may leave it out. */
export const scrubNothing: Scrub = (text) => text

const literally = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')

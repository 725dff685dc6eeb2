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
 */
export const scrubber = (headers: Readonly<Record<string, string>>): Scrub => {
  const secrets = Object.entries(headers)
    .filter(([name]) => SECRET_HEADER.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\S+\s+/, '')])
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    // The longest first: a secret may be a part of another one.
    .sort((one, other) => other.length - one.length)
  if (secrets.length === 0) return unchanged
  const anySecret = new RegExp(secrets.map(literally).join('|'), 'g')
  return (text) => text.replace(anySecret, '[redacted]')
}

const unchanged: Scrub = (text) => text

const literally = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')

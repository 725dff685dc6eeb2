/**
 * How long to wait before the next attempt: a random part of a bound that doubles with each failure ("full jitter"),
 * so that clients that failed together don't come back together.
 *
 * @param policy - bounds of the first delay and of every delay, ms
 * @param failures - attempts that failed so far, from 1
 * @param random - returns a number from 0 (inclusive) to 1 (exclusive)
 * @returns ms
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoff = (
  { delay, maxDelay }: { readonly delay: number; readonly maxDelay: number },
  failures: number,
  random: () => number,
): number => Math.floor(random() * Math.min(maxDelay, delay * 2 ** Math.min(failures - 1, 31)))

/** Error codes that waiting doesn't cure: a quota is used up, or a billing limit is reached. */
export const exhaustedQuota: ReadonlySet<string | undefined> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
])

/** Codes of an answer that waiting doesn't cure: a quota is used up, or a limit of what may be billed is reached. */
export const exhaustedQuota: ReadonlySet<string | undefined> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
])

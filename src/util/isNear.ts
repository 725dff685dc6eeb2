const lettersOf = (name: string): string => name.replace(/[-_]/g, '').toLowerCase()

/**
 * Whether one name may be a misspelling of the other. Case and separators are ignored, and one slip is allowed: a letter
 * missing, added or changed, or two neighbouring letters swapped. Names of fewer than four letters must match exactly,
 * since too many others would be near.
 */
export const isNear = (one: string, other: string): boolean => {
  const [a, b] = [lettersOf(one), lettersOf(other)]
  if (a === b) return true
  if (Math.min(a.length, b.length) < 4) return false
  let start = 0
  while (a[start] === b[start]) start += 1
  const [next, after] = [start + 1, start + 2]
  return (
    [a.slice(next), a.slice(start)].includes(b.slice(next)) ||
    a.slice(next) === b.slice(start) ||
    (a[start] === b[next] && a[next] === b[start] && a.slice(after) === b.slice(after))
  )
}

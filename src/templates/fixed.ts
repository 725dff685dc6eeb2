/** As many digits as JavaScript gives: enough to see whether a number lies in the middle of two others. */
export const EXACT = 100

/** A number with so many digits behind the point, a middle rounded to the even one: JavaScript rounds it away from 0. */
export const fixed = (value: number, digits: number): string => {
  if (!Number.isFinite(value)) throw new RangeError('a number that is not finite')
  if (digits > EXACT) throw new RangeError(`more than ${EXACT} digits`)
  // Above, `toFixed` gives exponents.
  if (Math.abs(value) >= 1e21) {
    return `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
  }
  const exact = value.toFixed(EXACT)
  const end = exact.length - EXACT + digits
  const below = exact.slice(0, digits === 0 ? end - 1 : end)
  const isMiddle = /^5?0*$/.test(exact.slice(end)) && exact[end] === '5'
  return isMiddle && /[02468]$/.test(below) ? below : value.toFixed(digits)
}

/** As many digits as JavaScript gives: enough to tell whether a number lies halfway between two others. */
export const EXACT = 100

/** A number with this many digits after the point. Halves are rounded to even; JavaScript rounds them away from 0. */
export const fixed = (value: number, digits: number): string => {
  if (!Number.isFinite(value)) throw new RangeError('a number that is not finite')
  if (digits > EXACT) throw new RangeError(`more than ${EXACT} digits`)
  // From here on, `toFixed` gives exponents.
  if (Math.abs(value) >= 1e21) {
    return `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
  }
  const exact = value.toFixed(EXACT)
  const end = exact.length - EXACT + digits
  const below = exact.slice(0, digits === 0 ? end - 1 : end)
  const isHalf = /^50*$/.test(exact.slice(end))
  return isHalf && /[02468]$/.test(below) ? below : value.toFixed(digits)
}

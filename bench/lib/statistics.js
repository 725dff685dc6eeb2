/** @param {ReadonlyArray<number>} sorted @param {number} part */
const quantile = (sorted, part) => {
  const at = (sorted.length - 1) * part
  const low = sorted[Math.floor(at)]
  return low + (sorted[Math.ceil(at)] - low) * (at % 1)
}

/** @param {ReadonlyArray<number>} values */
const ascending = (values) => [...values].sort((a, b) => a - b)

/** @param {ReadonlyArray<number>} values */
export const median = (values) => quantile(ascending(values), 0.5)

/**
 * Half the interquartile range as a part of the median.
 *
 * @param {ReadonlyArray<number>} values
 */
export const spread = (values) => {
  const sorted = ascending(values)
  const middle = quantile(sorted, 0.5)
  return middle === 0 ? 0 : Math.abs((quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / middle)
}

/**
 * The ratio of two contestants, round by round, so that what disturbs a whole round disturbs both: median and spread.
 *
 * @param {ReadonlyArray<number>} values
 * @param {ReadonlyArray<number>} base
 */
export const ratio = (values, base) => {
  const ratios = values.map((value, round) => value / base[round])
  return { median: median(ratios), spread: spread(ratios) }
}

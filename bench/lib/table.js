/**
 * A table in Markdown, columns padded so that it reads as it stands.
 *
 * @param {ReadonlyArray<string>} head the first column is text, all others are figures
 * @param {ReadonlyArray<ReadonlyArray<string>>} rows
 */
export const table = (head, rows) => {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => [...row[column]].length)),
  )
  const line = (cells) =>
    `| ${cells
      .map((cell, column) => {
        const blank = ' '.repeat(widths[column] - [...cell].length)
        return column === 0 ? cell + blank : blank + cell
      })
      .join(' | ')} |`
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${column === 0 ? '-' : ':'}`).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/**
 * The rows of a table that has one for each contestant.
 *
 * @template A
 * @param {Readonly<Record<string, string>>} labels by the contestants' names
 * @param {ReadonlyArray<A>} columns
 * @param {(name: string, column: A) => string} cell
 */
export const rowsOf = (labels, columns, cell) =>
  Object.entries(labels).map(([name, label]) => [label, ...columns.map((column) => cell(name, column))])

/** A figure with about three digits. @param {number} value */
export const figure = (value) => {
  const size = Math.abs(value)
  if (size >= 10_000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** @param {number} part */
export const percent = (part) => `±${Math.round(part * 100)} %`

/** `1.15× ±3 %` @param {{ median: number, spread: number }} ratio */
export const times = ({ median, spread }) => `${figure(median)}× ${percent(spread)}`

const WIDTH = 760
const LABELS = 300
const ROW = 26

const escaped = (text) => text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/**
 * Horizontal bars as SVG, the shortest first, ours in another colour.
 *
 * @param {string} title
 * @param {ReadonlyArray<{ label: string, value: number, own: boolean }>} bars
 */
export const plot = (title, bars) => {
  const sorted = [...bars].sort((a, b) => a.value - b.value)
  const scale = (WIDTH - LABELS - 60) / Math.max(...sorted.map(({ value }) => value))
  const rows = sorted.map(({ label, value, own }, row) => {
    const y = 40 + row * ROW
    const width = Math.max(1, value * scale)
    return [
      `<text x="${LABELS - 8}" y="${y + 14}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="18" fill="${own ? '#b7178c' : '#9aa5b1'}"/>`,
      `<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 14}">${value.toFixed(1)}</text>`,
    ].join('')
  })
  const height = 48 + sorted.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${WIDTH / 2}" y="24" text-anchor="middle" font-weight="bold">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`
}

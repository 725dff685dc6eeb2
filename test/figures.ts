import { readFile } from 'node:fs/promises'
import test from 'ava'

const cellsOf = (line: string): ReadonlyArray<string> => line.split('|').map((cell) => cell.trim())

type Cell = (row: string, column: string) => string

/** The cells of the first table below a text, by the row's first one and the column's. */
const cellsBelow = (markdown: string, text: string): Cell => {
  const below = markdown.slice(markdown.indexOf(text))
  const [head = '', , ...rows] = (/^\|[\s\S]*?\n\n/m.exec(below)?.[0] ?? '').split('\n')
  const lines = new Map(rows.map(cellsOf).map((cells) => [cells[1], cells]))
  return (row, column) => lines.get(row)?.[cellsOf(head).indexOf(column)] ?? ''
}

/** The number that a cell begins with. */
const tableBelow = (markdown: string, text: string): ((row: string, column: string) => number) => {
  const cell = cellsBelow(markdown, text)
  return (row, column) => Number.parseFloat(cell(row, column).replaceAll(',', ''))
}

test("the README's figures are those of the results", async (t) => {
  const readme = (await readFile('README.md', 'utf8')).replaceAll(/\s+/g, ' ')
  const results = await readFile('bench/RESULTS.md', 'utf8')
  const short = tableBelow(results, '## In short')
  const chunk = tableBelow(results, 'CPU time of the whole process per chunk')
  const ratio = tableBelow(results, 'The same as a ratio')
  const span = tableBelow(results, '## 2. Spans')
  const item = tableBelow(results, '## 3. Pipelines')
  const bundle = tableBelow(results, 'Browser bundle')
  const burst = cellsBelow(results, 'Bursts:')
  const soak = cellsBelow(results, '## 7. Soak')

  const chunks = (name: string, row: string, digits: number): string =>
    `| ${name} | ${chunk(row, 'mss').toFixed(digits)} | ${chunk(row, '10k').toFixed(digits)} |`
  const shapes = ['event', 'mss', '16k', 'tiny', 'tools', '10k']
  const range = (ratios: ReadonlyArray<number>): string =>
    `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`
  const byShape = (row: string): string => range(shapes.map((shape) => ratio(row, shape)))
  const bursts = ['1', '100', '1000', '5000']
  const inBurst = (row: string, streams: string): number =>
    Number.parseFloat(burst(row, streams).split(' · ')[1] ?? '')
  const ofHundred = (row: string): string =>
    range(
      bursts.map(
        (streams) => inBurst(row, streams) / inBurst('fetch + eventsource-parser + JSON.parse', streams),
      ),
    )
  const memory = (row: string): ReadonlyArray<string> =>
    soak(row, 'RSS MB (early → half → end)').split(' → ').slice(1)
  const long = (row: string): string => ratio(row, 'long').toFixed(1)
  const more = (row: string, than: string, column: string): number =>
    Math.round(100 * (span(row, column) - span(than, column))) / 100
  const delivered = (row: string): string =>
    `${span(row, 'CPU µs delivered').toFixed(0)} and ${span(row, 'B on the wire')}`

  const rxjs = 'no spans: the steps as concatMap of RxJS'
  const ours = 'respan-rx, bufferedSink'
  const openTelemetry = 'OpenTelemetry BSP, explicit parent'
  const expected = [
    chunks(
      '`fetch` + eventsource-parser + `JSON.parse`, nothing checked',
      'fetch + eventsource-parser + JSON.parse',
      2,
    ),
    chunks('respan-rx, every chunk validated', 'respan-rx, validated', 2),
    chunks('respan-rx, traced, with usage', 'respan-rx, traced, with usage', 2),
    chunks('`openai`, `create`', 'openai `create`', 2),
    chunks('LangChain, `ChatOpenAI.stream`', 'LangChain `ChatOpenAI.stream`', 1),
    chunks('Vercel `ai`, `streamText`', 'Vercel ai `streamText`', 1),
    `${byShape('respan-rx, validated')} times, by shape, and ${byShape('respan-rx, traced, with usage')} times when traced`,
    `100 chunks costs ${ofHundred('respan-rx, validated')} times the loop, and ${ofHundred('respan-rx, traced')} when traced`,
    `cost ${long('respan-rx, validated')} times the loop, and ${long('respan-rx, traced, with usage')} when traced`,
    `(without content ${long('respan-rx, traced without content')})`,
    `first token waits ${short('Added to the first token of a quiet stream, ms', 'found').toFixed(1)} ms longer`,
    `three components costs ${item('respan-rx, traced', 'run 3').toFixed(0)} µs traced`,
    `adds ${short('An untraced component adds per item to RxJS, worst case, µs', 'found').toFixed(2)} µs to RxJS`,
    `sink costs ${more(ours, rxjs, 'CPU µs').toFixed(1)} µs and ${(more(ours, rxjs, 'B allocated') / 1000).toFixed(1)} kB more`,
    `OpenTelemetry's costs ${more(`${openTelemetry}, in RxJS`, rxjs, 'CPU µs').toFixed(1)} µs more there`,
    `${more(openTelemetry, 'no spans: the awaited steps alone', 'CPU µs').toFixed(1)} around a plain function`,
    `ours is ${delivered(ours).replace('and', 'µs and')} bytes`,
    `@keywordsai/tracing ${delivered('@keywordsai/tracing (Respan), console muted')},`,
    `Traceloop's ${delivered('Traceloop withWorkflow, withTask')},`,
    `Langfuse's ${delivered('Langfuse startActiveObservation')}.`,
    `goes from ${memory('delivered').join(' MB to ')}; with those outages, from ${memory('delivered, server down half the time').join(' to ')}.`,
    `Importing it takes ${short('Import over rxjs alone, ms', 'found').toFixed(0)} ms`,
    `are ${bundle('respan-rx trace + generate, with ky and eventsource-parser', 'gzip').toFixed(1)} KB gzip`,
  ]
  t.deepEqual(
    expected.filter((figure) => !readme.includes(figure)),
    [],
  )
})

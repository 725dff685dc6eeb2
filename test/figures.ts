import { readFile } from 'node:fs/promises'
import test from 'ava'

const cellsOf = (line: string): ReadonlyArray<string> => line.split('|').map((cell) => cell.trim())

/** Of the first table below a text: the number that a cell begins with, by the row's first cell and the column's. */
const tableBelow = (markdown: string, text: string): ((row: string, column: string) => number) => {
  const below = markdown.slice(markdown.indexOf(text))
  const [head = '', , ...rows] = (/^\|[\s\S]*?\n\n/m.exec(below)?.[0] ?? '').split('\n')
  const lines = new Map(rows.map(cellsOf).map((cells) => [cells[1], cells]))
  return (row, column) =>
    Number.parseFloat(lines.get(row)?.[cellsOf(head).indexOf(column)]?.replaceAll(',', '') ?? '')
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

  const chunks = (name: string, row: string, digits: number): string =>
    `| ${name} | ${chunk(row, 'mss').toFixed(digits)} | ${chunk(row, '10k').toFixed(digits)} |`
  const shapes = ['event', 'mss', '16k', 'tiny', 'tools', '10k']
  const range = (row: string): string => {
    const ratios = shapes.map((shape) => ratio(row, shape))
    return `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)} times`
  }
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
    `${range('respan-rx, validated')}, by shape, and ${range('respan-rx, traced, with usage')} when traced`,
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
    `Importing it takes ${short('Import over rxjs alone, ms', 'found').toFixed(0)} ms`,
    `are ${bundle('respan-rx trace + generate, with ky and eventsource-parser', 'gzip').toFixed(1)} KB gzip`,
  ]
  t.deepEqual(
    expected.filter((figure) => !readme.includes(figure)),
    [],
  )
})

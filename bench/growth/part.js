// 6. Growth: does an item, or a span, cost the same however many there are?

import { inRounds, run } from '../lib/processes.js'
import { median } from '../lib/statistics.js'
import { figure, table } from '../lib/table.js'

const RUNS = [10, 100, 1_000, 10_000, 100_000, 1_000_000]
const TRACES = [10, 100, 1_000, 10_000, 100_000]
const PIPELINES = [1, 3, 10, 30, 100]

const SERIES = {
  rxjs: { label: 'run of n items, concatMap of RxJS', sizes: RUNS },
  untraced: { label: 'run of n items, a component, untraced', sizes: RUNS },
  traced: { label: 'trace of n spans, one after the other', sizes: RUNS },
  openRxjs: { label: 'n projections of mergeMap, all open at once', sizes: TRACES },
  open: { label: 'trace of n spans, all open at once', sizes: TRACES },
  pipelineUntraced: { label: 'pipeline of n components, untraced', sizes: PIPELINES },
  pipelineTraced: { label: 'pipeline of n components, traced', sizes: PIPELINES },
}

const WHY_OPEN =
  'With 100,000 open at once RxJS alone takes some 120 µs for each, for its own list of inner subscriptions: what a span ' +
  'adds is less than the spread of that.'

/** What a trace adds to RxJS itself, whose teardown is quadratic in what is open. */
const openAtOnce = (results) => {
  const added = (size) =>
    median(
      results.get('open').map((round, index) => round[size].cpu - results.get('openRxjs')[index][size].cpu),
    )
  const largest = Object.keys(results.get('open')[0]).map(Number).at(-1)
  const found = added(largest) / added(1_000)
  return {
    what: `A span adds to RxJS, ${largest.toLocaleString('en-US')} open at once, against 1,000`,
    why: WHY_OPEN,
    found: `${figure(found)}×`,
    target: '≤ 1.5×',
    met: found <= 1.5,
  }
}

export const growth = {
  title: 'Growth',
  question: 'What does an item, a span, a component cost as there are more of them?',

  run: ({ quick }) =>
    inRounds(Object.keys(SERIES), quick ? 1 : 3, (series) => {
      const { sizes } = SERIES[series]
      const some = quick ? sizes.filter((size) => size <= 100_000) : sizes
      const total = Math.min(
        quick ? 20_000 : 200_000,
        sizes === PIPELINES ? 60_000 : Number.POSITIVE_INFINITY,
      )
      return run('growth/contestant.js', { series, sizes: some, total }, { flags: ['--expose-gc'] })
    }),

  report: (results) => {
    const of = (name, size) => median(results.get(name).map((round) => round[size].cpu))
    const line = (name) => {
      const sizes = Object.keys(results.get(name)[0])
      return [
        SERIES[name].label,
        sizes.map((size) => `${Number(size).toLocaleString('en-US')}: ${figure(of(name, size))}`).join(' · '),
      ]
    }
    return ['CPU µs per item, span or component, by n:', table(['', 'n: µs'], [...results.keys()].map(line))]
  },

  targets: (results) => {
    const grown = (name, from) => {
      const sizes = Object.keys(results.get(name)[0]).map(Number)
      const cost = (size) => median(results.get(name).map((round) => round[size].cpu))
      return cost(sizes.at(-1)) / cost(from)
    }
    const flat = (what, name, from, limit) => {
      const found = grown(name, from)
      return { what, found: `${figure(found)}×`, target: `≤ ${limit}×`, met: found <= limit }
    }
    return [
      flat('An item in the longest run against a run of 1,000, untraced', 'untraced', 1_000, 1.25),
      flat('A span in the longest trace against a trace of 1,000', 'traced', 1_000, 1.25),
      openAtOnce(results),
      flat('A component in a pipeline of 100 against one of 10, traced', 'pipelineTraced', 10, 1.25),
    ]
  },
}

// 3. Pipelines: what composing costs per item.

import { ALLOCATION_FLAGS } from '../lib/measure.js'
import { inRounds, run } from '../lib/processes.js'
import { median, ratio } from '../lib/statistics.js'
import { figure, rowsOf, table, times } from '../lib/table.js'

const CONTESTANTS = {
  plain: 'plain functions',
  plainRxjs: 'RxJS operators',
  respan: 'respan-rx, untraced',
  respanTraced: 'respan-rx, traced',
  langchain: 'LangChain RunnableSequence',
}

const CASES = [
  { key: 'run 3', form: 'run', components: 3, items: 20_000 },
  { key: 'run 10', form: 'run', components: 10, items: 8_000 },
  { key: 'stream 3', form: 'stream', components: 3, items: 100_000 },
  { key: 'stream 10', form: 'stream', components: 10, items: 40_000 },
]

/** Haystack 2, untraced, for a pipeline of ten components, ms. */
const HAYSTACK_TEN = 0.85

const WHY_ADDED = 'The worst of four differences of two figures each, whose spreads are of its size.'

const WHY_RECORDED =
  "Haystack's time was recorded on another machine, and is compared with ours on this one, as fast as it was when it ran."

export const pipelines = {
  title: 'Pipelines',
  question: 'What does an item cost that goes through 3 or 10 components which do nothing?',

  run: async ({ quick }) => {
    const names = Object.keys(CONTESTANTS)
    const cases = (name) => CASES.filter(({ form }) => form === 'run' || name !== 'langchain')
    const slow = (name) => (name === 'langchain' ? 4 : 1)
    const options = (name, { form, components, items }) => {
      const count = Math.round(items / slow(name) / (quick ? 4 : 1))
      return { name, form, components, warmUp: count, items: count }
    }
    const cpu = await inRounds(names, quick ? 1 : 5, async (name) => {
      const result = {}
      for (const one of cases(name))
        result[one.key] = await run('pipelines/contestant.js', options(name, one))
      return result
    })
    const heap = await inRounds(names, 1, async (name) => {
      const result = {}
      for (const one of cases(name)) {
        const some = { ...options(name, one), items: 500, allocation: true }
        result[one.key] = await run('pipelines/contestant.js', some, { flags: ALLOCATION_FLAGS })
      }
      return result
    })
    return { cpu, heap }
  },

  report: ({ cpu, heap }) => {
    const cell = (name, key) => {
      const values = cpu.get(name).map((round) => round[key]?.cpu)
      const base = cpu.get('plainRxjs').map((round) => round[key].cpu)
      return values[0] === undefined ? '' : `${figure(median(values))}  ${times(ratio(values, base))}`
    }
    const bytes = (name, key) => {
      const found = heap.get(name)[0][key]
      return found === undefined ? '' : figure(found.bytes)
    }
    const keys = CASES.map(({ key }) => key)
    return [
      "'run': each item is a run of its own, its steps are async functions. 'stream': all items go through one long " +
        'stream, its steps answer at once. CPU µs per item, and the ratio to RxJS alone:',
      table(['', ...keys], rowsOf(CONTESTANTS, keys, cell)),
      'Bytes allocated per item:',
      table(['', ...keys], rowsOf(CONTESTANTS, keys, bytes)),
    ]
  },

  targets: ({ cpu }) => {
    const of = (name, key) => cpu.get(name).map((round) => round[key].cpu)
    const added = CASES.map(({ key, components }) =>
      median(of('respan', key).map((value, round) => (value - of('plainRxjs', key)[round]) / components)),
    )
    const most = Math.max(...added)
    const langchain = ratio(of('langchain', 'run 3'), of('respanTraced', 'run 3'))
    const haystack = (HAYSTACK_TEN * 1000) / median(of('respanTraced', 'run 10'))
    return [
      {
        what: 'An untraced component adds per item to RxJS, worst case, µs',
        why: WHY_ADDED,
        found: figure(most),
        target: '≤ 0.3',
        met: most <= 0.3,
      },
      {
        what: "LangChain's untraced RunnableSequence against a traced run of three",
        found: times(langchain),
        target: '≥ 3×',
        met: langchain.median >= 3,
      },
      {
        what: 'Haystack untraced (0.85 ms, recorded) against a traced run of ten',
        why: WHY_RECORDED,
        found: `${figure(haystack)}×`,
        target: '≥ 20×',
        met: haystack >= 20,
      },
    ]
  },
}

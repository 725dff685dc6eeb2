// Contestants run in processes of their own, one per round, on the Node that bench/package.json brings, in an order
// that rotates with the rounds: nobody always runs first, and nobody inherits another one's heap or compiled code.

import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** @param {string} path below bench/ */
export const benchPath = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const NODES = ['node_modules/node22/bin/node', '../tools/nodes/node_modules/node22/bin/node'].map(benchPath)

/** The Node that runs every contestant. */
export const node = () => NODES.find(existsSync) ?? process.execPath

const QUIET = {
  ...process.env,
  NODE_NO_WARNINGS: '1',
  AI_SDK_LOG_WARNINGS: 'false',
  LANGCHAIN_TRACING_V2: 'false',
  LANGSMITH_TRACING: 'false',
  TRACELOOP_TELEMETRY: 'false',
  RESPAN_API_KEY: '',
  RESPAN_BASE_URL: '',
}

/**
 * Starts a script of bench/ on the contestants' Node.
 *
 * @param {string} script path below bench/
 * @param {unknown} options handed over as JSON
 * @param {{ flags?: ReadonlyArray<string>, cwd?: string }} [how]
 */
export const start = (script, options = {}, { flags = [], cwd = benchPath('.') } = {}) =>
  fork(benchPath(script), [JSON.stringify(options)], {
    execPath: node(),
    execArgv: [...flags],
    env: QUIET,
    cwd,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })

/**
 * Runs a script of bench/ to its end, and resolves to what it reported.
 *
 * @param {string} script
 * @param {unknown} options
 * @param {{ flags?: ReadonlyArray<string> }} [how]
 */
export const run = (script, options, how) =>
  new Promise((resolve, reject) => {
    const child = start(script, options, how)
    let said = ''
    let reported
    const listen = (text) => {
      said = `${said}${text}`.slice(-4000)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('message', (message) => {
      reported = message
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (reported !== undefined) resolve(reported)
      else reject(new Error(`${script} ${JSON.stringify(options)} ended with ${code}\n${said}`))
    })
  })

/** In a contestant: what `start` handed over. */
export const options = () => JSON.parse(process.argv[2] ?? '{}')

/** In a contestant: tells the result and ends the process. @param {unknown} result */
export const report = (result) => process.send(result, () => process.exit(0))

/**
 * Runs contestants in rounds, one process each.
 *
 * @template A
 * @param {ReadonlyArray<string>} names
 * @param {number} rounds
 * @param {(name: string, round: number) => Promise<A>} runOne
 * @returns {Promise<Map<string, Array<A>>>} by name, in the order of the rounds
 */
export const inRounds = async (names, rounds, runOne) => {
  const results = new Map(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const turn = (round * Math.ceil(names.length / rounds)) % names.length
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      results.get(name).push(await runOne(name, round))
    }
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return results
}

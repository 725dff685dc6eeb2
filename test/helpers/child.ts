import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'

/** A process of a test's own that reports what it found. */
export interface Child<A> {
  /** What it sends next; rejects with what it printed when it ends without. */
  readonly report: () => Promise<A>
  readonly send: (message: string) => void
}

/**
 * Runs a file of `helpers/children` in a process of its own, which is ended with the test.
 *
 * @param flags - Node's
 * @param args - the file's
 */
export const runChild = <A>(
  t: ExecutionContext,
  name: string,
  flags: ReadonlyArray<string>,
  ...args: ReadonlyArray<string>
): Child<A> => {
  // Coverage counts in the heap that is measured here.
  const { NODE_V8_COVERAGE: _, ...env } = process.env
  const child = fork(new URL(`./children/${name}.js`, import.meta.url), args, {
    execArgv: [...flags],
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  t.teardown(() => child.kill())
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes) => {
      printed += String(bytes)
    })
  // It may be over before its last message was read.
  const over = Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  const ended = over.then(([[code, signal]]) => {
    throw new Error(`${name} ended (${code ?? signal}): ${printed.slice(-4_000)}`)
  })
  ended.catch(() => undefined)
  return {
    report: async () => {
      const [message] = await Promise.race([once(child, 'message'), ended])
      return message
    },
    send: (message) => child.send(message),
  }
}

import type { TimestampProvider } from 'rxjs'
import { type RunHelpers, TestScheduler } from 'rxjs/testing'
import { virtualClock } from './virtualClock.js'

/** RxJS's helpers, and the virtual time as a clock. */
export interface MarbleHelpers extends RunHelpers {
  /** For `respanTrace`'s option of that name; shows the current frame. */
  readonly clock: TimestampProvider
  readonly scheduler: TestScheduler
}

/**
 * Runs a test in virtual time, under any test runner.
 *
 * @param assertDeepEqual - the runner's own assertion: `t.deepEqual` of ava, `assert.deepEqual` of Node
 * @param test - as for `TestScheduler.run`; what it expects is checked when it returns
 * @returns what the test returned
 *
 * @example
 * test('emits the text', (t) =>
 *   marbles(t.deepEqual, ({ cold, expectObservable }) => {
 *     const gateway = marbleGateway('--a-b-|')
 *     const text$ = cold('q|').pipe(respanGenerate({ model: 'm', gateway }), map(({ replies }) => replies[0]))
 *     expectObservable(text$).toBe('------(r|)', { r: 'ab' })
 *   }))
 */
export const marbles = <T>(
  assertDeepEqual: (actual: unknown, expected: unknown) => unknown,
  test: (helpers: MarbleHelpers) => T,
): T => {
  const scheduler = new TestScheduler((actual, expected) => {
    assertDeepEqual(actual, expected)
  })
  return scheduler.run((helpers) => test({ ...helpers, clock: virtualClock(scheduler), scheduler }))
}

import type { ObservableNotification } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { InvalidInput } from '../errors.js'
import { grouped } from '../util/grouped.js'
import type { MarbleValue } from './MarbleValue.js'

/** Marbles with what they stand for, as in RxJS's `cold`. */
export interface MarbleScript {
  /** Run mode syntax: spaces are free, `10ms` passes time, one character is 1 ms. */
  readonly marbles: string
  /** What a character stands for; a character without an entry is a text delta of itself. */
  readonly values?: Readonly<Record<string, MarbleValue>>
  /** What `#` emits. Default: a `NetworkError`. */
  readonly error?: unknown
}

/** What happens at one moment, ms after the subscription. */
export interface Moment<A> {
  readonly at: number
  readonly notifications: ReadonlyArray<ObservableNotification<A>>
}

// A frame lasts 10 ms outside `TestScheduler.run` and 1 ms inside it; a script has to mean the same in both.
const msFrames: Pick<typeof TestScheduler, 'parseMarbles'> = Object.create(TestScheduler, {
  frameTimeFactor: { value: 1 },
})

/** Reads marbles, and groups what happens at the same moment. */
export const momentsOf = ({
  marbles,
  values = {},
  error,
}: MarbleScript): ReadonlyArray<Moment<MarbleValue>> => {
  const misplaced = ['^', '!'].find((character) => marbles.includes(character))
  if (misplaced !== undefined)
    throw new InvalidInput('marbleGateway', {
      path: 'marbles',
      expected: 'marbles without ^ or !',
      found: `${misplaced} in ${JSON.stringify(marbles)}`,
    })
  const messages = msFrames.parseMarbles(marbles, undefined, undefined, false, true)
  return [...grouped(messages, ({ frame }) => frame)].map(([at, moment]) => ({
    at,
    notifications: moment.map(({ notification }) => decoded(notification, values, error)),
  }))
}

const decoded = (
  notification: ObservableNotification<string>,
  values: Readonly<Record<string, MarbleValue>>,
  error: unknown,
): ObservableNotification<MarbleValue> => {
  switch (notification.kind) {
    case 'N':
      return { kind: 'N', value: values[notification.value] ?? notification.value }
    case 'E':
      return { kind: 'E', error }
    case 'C':
      return notification
  }
}

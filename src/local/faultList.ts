import type { Fault } from './Fault.js'

/** Which kind of request a fault is looked up for. */
export type FaultTarget = 'chat' | 'ingest' | 'prompts' | 'embeddings'

/** The faults in force. */
export interface FaultList {
  /** Adds a fault; the returned function removes it. */
  readonly add: (fault: Fault) => () => void
  /** The first fault in force for a request, used once. */
  readonly take: (on: FaultTarget, model?: string) => Fault | undefined
}

/** An empty list of faults. */
export const faultList = (): FaultList => {
  // By a key of its own: the same fault given twice is two faults.
  let faults: ReadonlyArray<{ readonly key: symbol; readonly fault: Fault; readonly left: number }> = []
  return {
    add: (fault) => {
      const key = Symbol('fault')
      faults = [...faults, { key, fault, left: fault.times ?? Number.POSITIVE_INFINITY }]
      return () => {
        faults = faults.filter((one) => one.key !== key)
      }
    },
    take: (on, model) => {
      const found = faults.find(
        ({ fault }) =>
          ((fault.on ?? 'chat') === on || fault.on === 'any') &&
          (fault.model === undefined || fault.model === model),
      )
      if (found === undefined) return undefined
      faults = faults.flatMap((one) =>
        one !== found ? [one] : one.left > 1 ? [{ ...one, left: one.left - 1 }] : [],
      )
      return found.fault
    },
  }
}

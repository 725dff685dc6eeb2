import type { Fault } from './Fault.js'

/** The kind of request that a fault is looked up for. */
export type FaultTarget = Exclude<NonNullable<Fault['on']>, 'any'>

/** The faults in force. */
export interface FaultList {
  /** Adds a fault; the returned function removes it. */
  readonly add: (fault: Fault) => () => void
  /** The first fault in force for a request, which counts as used once more. */
  readonly take: (on: FaultTarget, model: unknown) => Fault | undefined
}

/** An empty list of faults. */
export const faultList = (): FaultList => {
  const faults = new Set<{ readonly fault: Fault; left: number }>()
  return {
    add: (fault) => {
      const one = { fault, left: fault.times ?? Number.POSITIVE_INFINITY }
      faults.add(one)
      return () => {
        faults.delete(one)
      }
    },
    take: (on, model) => {
      const found = [...faults].find(
        ({ fault }) =>
          ((fault.on ?? 'chat') === on || fault.on === 'any') &&
          (fault.model === undefined || fault.model === model),
      )
      if (found === undefined) return undefined
      found.left -= 1
      if (found.left === 0) faults.delete(found)
      return found.fault
    },
  }
}

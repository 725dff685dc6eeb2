export type { ReportedUsage } from '../codecs/Usage.js'
export { memorySink } from '../sinks/memorySink.js'
export { deterministicClock } from './deterministicClock.js'
export { deterministicIds } from './deterministicIds.js'
export type { MarbleScript } from './MarbleScript.js'
export type { MarbleToolCall, MarbleValue } from './MarbleValue.js'
export {
  type MarbleGateway,
  type MarbleOptions,
  type MarbleScripts,
  marbleGateway,
  type RequestSubscription,
} from './marbleGateway.js'
export { type MarbleHelpers, marbles } from './marbles.js'
export { virtualClock } from './virtualClock.js'

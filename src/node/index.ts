export { type FileSpoolOptions, fileSpool } from './fileSpool.js'
export { type EndingSignal, flushOnSignals } from './flushOnSignals.js'

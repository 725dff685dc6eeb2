export { type IndexedDbSpoolOptions, indexedDbSpool } from './indexedDbSpool.js'

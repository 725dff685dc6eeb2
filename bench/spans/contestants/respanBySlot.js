export { eventsBySlot as default } from './respan.js'

export { events as default } from './respan.js'

import { traced } from './respan.js'

export default (baseUrl, kind) => traced(baseUrl, kind, { asyncContext: false })

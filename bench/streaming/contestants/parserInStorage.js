// The plain loop as it is in a process that uses an AsyncLocalStorage, for a trace's parents or a request's user.

import { AsyncLocalStorage } from 'node:async_hooks'
import parser from './parser.js'

const storage = new AsyncLocalStorage()

export default (baseUrl, kind) => {
  const read = parser(baseUrl, kind)
  return (onFirst) => storage.run({}, read, onFirst)
}

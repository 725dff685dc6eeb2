import type { ExecutionContext } from 'ava'
import { type Local, type LocalOptions, startLocal } from '../../dist/local/index.js'

/** Starts a local gateway that is closed when the test ends. */
export const start = async (t: ExecutionContext, options: LocalOptions = {}): Promise<Local> => {
  const local = await startLocal(options)
  t.teardown(local.close)
  return local
}

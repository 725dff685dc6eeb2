import { isRespanError, type RespanError } from '../../dist/errors.js'

/** The error that something rejects with, or `undefined` if it resolves. Rejects with an error that isn't ours. */
export const errorOf = async (running: Promise<unknown>): Promise<RespanError | undefined> => {
  try {
    await running
    return undefined
  } catch (error) {
    if (isRespanError(error)) return error
    throw error
  }
}

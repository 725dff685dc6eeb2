import type { ExecutionContext } from 'ava'

/** Sets environment variables until the test ends. For serial tests only, since the whole process is affected. */
export const inEnvironment = (t: ExecutionContext, variables: Record<string, string>): void => {
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
}

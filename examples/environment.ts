import { existsSync } from 'node:fs'

/** Examples read `.env` when there is one; the library never does. */
export const loadEnvironment = (): void => {
  if (existsSync('.env')) process.loadEnvFile('.env')
}

/** Whether to run on the real platform, which takes a key. */
export const hasKey = (): boolean => (process.env.RESPAN_API_KEY ?? '').trim() !== ''

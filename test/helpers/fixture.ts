import { readFileSync } from 'node:fs'

/** A recorded payload of the platform, as text. */
export const fixture = (name: string): string =>
  readFileSync(new URL(`../../test/fixtures/respan/${name}`, import.meta.url), 'utf8')

// The laws run on the same values everywhere, so that a change is judged by what it changed and not by luck. To look
// further, which finds what nobody thought of:
//
//   SEED=random npx ava build/laws.js
//
// and `SEED=820423170` runs again what a title ending in "(with seed=820423170)" ran.

import { fc } from '@fast-check/ava'

const { SEED = '20261124' } = process.env

if (SEED !== 'random') fc.configureGlobal({ seed: Number(SEED) })

import type { Context } from 'hono'
import type { Fields } from '../codecs/Fields.js'
import type { LocalEnv } from './LocalState.js'

/** The page of a list that a request asks for (`page`, `page_size`), as the platform wraps it. */
export const paged = <A>(c: Context<LocalEnv>, all: ReadonlyArray<A>, most: number): Fields => {
  const asked = (name: string, otherwise: number): number => {
    const number = Number(c.req.query(name) ?? otherwise)
    return Number.isInteger(number) && number > 0 ? number : otherwise
  }
  const page = asked('page', 1)
  const size = Math.min(asked('page_size', 25), most)
  const url = (number: number): string => {
    const next = new URL(c.req.url)
    next.searchParams.set('page', String(number))
    return next.href
  }
  return {
    count: all.length,
    next: page * size < all.length ? url(page + 1) : null,
    previous: page > 1 ? url(page - 1) : null,
    results: all.slice((page - 1) * size, page * size),
  }
}
